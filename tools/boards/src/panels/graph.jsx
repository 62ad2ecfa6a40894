import React, { useLayoutEffect } from 'react';
import { TimeSeries } from '@grafana/ui';

export function Graph({ panel, frames, marks, points, range, theme, width, height }) {
  const filled = frames.filter((f) => f.length > 0);
  return (
    <TimeSeries frames={filled} timeRange={range} timeZone="browser" legend={panel.options.legend} options={panel.options} width={width} height={height} structureRev={1}>
      {(builder) => <><Marks builder={builder} marks={marks} /><Points builder={builder} points={points} theme={theme} /></>}
    </TimeSeries>
  );
}

// Marks draws annotations as Grafana does: a dashed line for a moment, a band for what
// lasted, and a triangle below.
function Marks({ builder, marks }) {
  useLayoutEffect(() => {
    builder.addHook('draw', (u) => {
      const { ctx, bbox } = u;
      ctx.save();
      ctx.beginPath();
      ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height + 10);
      ctx.clip();
      for (const mark of marks) {
        const from = u.valToPos(mark.from, 'x', true);
        const to = u.valToPos(mark.to, 'x', true);
        ctx.strokeStyle = mark.color;
        ctx.fillStyle = mark.color;
        ctx.setLineDash([5, 5]);
        for (const x of from === to ? [from] : [from, to]) {
          ctx.beginPath();
          ctx.moveTo(x, bbox.top);
          ctx.lineTo(x, bbox.top + bbox.height);
          ctx.stroke();
        }
        const below = bbox.top + bbox.height;
        if (to > from) {
          ctx.globalAlpha = 0.1;
          ctx.fillRect(from, bbox.top, to - from, bbox.height);
          ctx.globalAlpha = 1;
          ctx.fillRect(from, below, to - from, 5);
        } else {
          ctx.beginPath();
          ctx.moveTo(from - 5, below + 6);
          ctx.lineTo(from, below);
          ctx.lineTo(from + 5, below + 6);
          ctx.fill();
        }
      }
      ctx.restore();
    });
  }, [builder, marks]);
  return null;
}

// Points draws exemplars as Grafana does: as diamonds at their values.
function Points({ builder, points, theme }) {
  useLayoutEffect(() => {
    builder.addHook('draw', (u) => {
      const scale = Object.keys(u.scales).find((key) => key !== 'x' && Number.isFinite(u.scales[key].max));
      if (!scale || !points?.length) return;
      const { ctx, bbox } = u;
      ctx.save();
      ctx.beginPath();
      ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
      ctx.clip();
      ctx.fillStyle = theme.colors.text.primary;
      for (const { time, value } of points) {
        const x = u.valToPos(time, 'x', true);
        const y = u.valToPos(Math.min(value, u.scales[scale].max), scale, true);
        ctx.beginPath();
        for (const [dx, dy] of [[0, -4], [4, 0], [0, 4], [-4, 0]]) ctx.lineTo(x + dx, y + dy);
        ctx.fill();
      }
      ctx.restore();
    });
  }, [builder, points, theme]);
  return null;
}
