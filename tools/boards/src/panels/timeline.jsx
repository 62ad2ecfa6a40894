// A state timeline of our own: Grafana's is not published.
import React from 'react';

const axis = 20;
const legendHeight = 22;

export function Timeline({ panel, frames, range, theme, width, height }) {
  const rows = frames.flatMap((f) => f.fields.filter((x) => x.type === 'number').map((field) => ({ field, times: f.fields[0].values, step: f.fields[0].config.interval || 60000 })));
  const names = rows.map(({ field }) => field.config.displayNameFromDS || field.name);
  const left = Math.min(width / 3, 12 + Math.max(...names.map((n) => n.length)) * 6.6);
  const [from, to] = [range.from.valueOf(), range.to.valueOf()];
  const x = (t) => left + ((t - from) / (to - from)) * (width - left - 8);
  const band = (height - axis - legendHeight) / rows.length;
  const legend = new Map();
  const parts = rows.flatMap(({ field, times, step }, r) => runsOf(field, times, step).map((run) => {
    legend.set(run.text, run.color);
    const start = Math.max(x(run.from), left);
    return <rect key={`${r} ${run.from}`} x={start} y={r * band + band * 0.075} width={Math.max(0.5, x(Math.min(run.to, to)) - start)} height={band * 0.85} fill={run.color} fillOpacity={0.8}><title>{`${names[r]}: ${run.text}`}</title></rect>;
  }));
  const ticks = Array.from({ length: 6 }, (_, i) => from + ((to - from) * (i + 0.5)) / 6);
  const font = { fontSize: 12, fill: theme.colors.text.primary, fontFamily: theme.typography.fontFamily };
  return (
    <div>
      <svg width={width} height={height - legendHeight}>
        {names.map((n, r) => <text key={n + r} x={left - 6} y={(r + 0.5) * band} textAnchor="end" dominantBaseline="middle" {...font}>{n}</text>)}
        {parts}
        {ticks.map((t) => <text key={t} x={x(t)} y={height - legendHeight - 5} textAnchor="middle" {...font}>{new Date(t).toTimeString().slice(0, 5)}</text>)}
      </svg>
      <div style={{ height: legendHeight, fontSize: 12, display: 'flex', gap: 14, alignItems: 'center' }}>
        {[...legend].map(([text, color]) => <span key={text}><span style={{ display: 'inline-block', width: 14, height: 4, background: color, marginRight: 6, verticalAlign: 'middle' }} />{text}</span>)}
      </div>
    </div>
  );
}

// runsOf joins points of one text; a hole of more than two steps ends a run.
function runsOf(field, times, step) {
  const runs = [];
  times.forEach((t, i) => {
    const { text, color } = field.display(field.values[i]);
    const last = runs.at(-1);
    if (last && last.text === text && t - last.to <= step) last.to = t + step;
    else runs.push({ from: t, to: t + step, text, color });
  });
  return runs;
}
