// The marks of a board: when something happened.
import { get } from './ask.js';
import { intervals } from './interpolate.js';
import { withMacros } from './query.js';

const step = 60000; // as Grafana asks for annotations

export async function marksOf(board, range, replace, theme) {
  const lists = await Promise.all(board.annotations.list.filter((a) => a.enable).map(async (a) => {
    const color = theme.visualization.getColorByName(a.iconColor);
    const expr = replace(withMacros(a.target.expr, intervals(range, step)));
    const found = a.datasource.type === 'loki' ? await lines(expr, range) : await series(a, expr, range);
    return found.map((mark) => ({ ...mark, color, name: a.name }));
  }));
  return lists.flat();
}

async function lines(query, range) {
  const { data } = await get('/loki/api/v1/query_range', { query, start: range.from.valueOf() + '000000', end: range.to.valueOf() + '000000', limit: 200, direction: 'backward' });
  return data.result.flatMap((s) => s.values.map(([ns, text]) => ({ from: Number(ns) / 1e6, to: Number(ns) / 1e6, text })));
}

async function series(a, query, range) {
  const at = (t) => Math.floor(t.valueOf() / step) * step / 1000;
  const { data } = await get('/prometheus/api/v1/query_range', { query, start: at(range.from), end: at(range.to), step: step / 1000 });
  return data.result.flatMap((s) => {
    const text = Object.entries(s.metric).map(([, v]) => v).join(' ');
    const points = s.values.filter(([, v]) => Number(v) > 0);
    if (a.useValueForTime) return [...new Set(points.map(([, v]) => Number(v)))].map((t) => ({ from: t, to: t, text }));
    return regions(points.map(([t]) => t * 1000)).map((r) => ({ ...r, text }));
  });
}

// regions joins points that follow one another.
function regions(times) {
  const out = [];
  for (const t of times) {
    const last = out.at(-1);
    if (last && t - last.to <= step) last.to = t;
    else out.push({ from: t, to: t });
  }
  return out;
}
