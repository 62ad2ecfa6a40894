// A heatmap of our own: Grafana's is not published.
import React from 'react';
import { getValueFormat, formattedValueToString } from '@grafana/data';

const left = 68;
const axis = 20;
const scaleHeight = 26;

export function Heatmap({ panel, frames, range, theme, width, height }) {
  const { times, rows, step } = frames[0].heat;
  const { color, yAxis, cellValues, filterValues } = panel.options;
  const [from, to] = [range.from.valueOf(), range.to.valueOf()];
  const high = height - axis - scaleHeight;
  const band = high / rows.length;
  const x = (t) => left + ((t - from) / (to - from)) * (width - left - 8);
  const most = Math.max(0, ...rows.flatMap((r) => r.values.filter((v) => v !== undefined)));
  const shade = (v) => `hsl(213 75% ${theme.isDark ? 15 + 60 * (v / most) ** color.exponent : 94 - 60 * (v / most) ** color.exponent}%)`;
  const format = (v, u, d) => formattedValueToString(getValueFormat(u)(v, d));
  const cells = rows.flatMap((row, r) => row.values.map((v, i) => {
    const t = times[i];
    if (v === undefined || v <= (filterValues?.le ?? 0) || t < from) return null;
    return <rect key={`${r} ${t}`} x={x(t)} y={high - (r + 1) * band} width={Math.max(1, x(t + step) - x(t) - 1)} height={band - 1} fill={shade(v)}><title>{format(v, cellValues.unit, cellValues.decimals)}</title></rect>;
  }));
  const ticks = Array.from({ length: 6 }, (_, i) => from + ((to - from) * (i + 0.5)) / 6);
  const font = { fontSize: 12, fill: theme.colors.text.primary, fontFamily: theme.typography.fontFamily };
  const each = Math.ceil(14 / band);
  return (
    <div>
      <svg width={width} height={height - scaleHeight}>
        {rows.map((row, r) => (r % each === 0 ? <text key={row.bound} x={left - 6} y={high - (r + 0.5) * band} textAnchor="end" dominantBaseline="middle" {...font}>{row.bound === Infinity ? '+Inf' : format(row.bound, yAxis.unit, yAxis.decimals)}</text> : null))}
        {cells}
        {ticks.map((t) => <text key={t} x={x(t)} y={height - scaleHeight - 5} textAnchor="middle" {...font}>{new Date(t).toTimeString().slice(0, 5)}</text>)}
      </svg>
      <div style={{ height: scaleHeight, fontSize: 12, display: 'flex', gap: 8, alignItems: 'center', marginLeft: left }}>
        <span>0</span><span style={{ width: 160, height: 8, background: `linear-gradient(to right, ${[0, 0.25, 0.5, 0.75, 1].map((f) => shade(f * most)).join(', ')})` }} /><span>{format(most, cellValues.unit, cellValues.decimals)}</span>
      </div>
    </div>
  );
}
