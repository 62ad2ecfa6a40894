// Runs the queries of a panel and returns data frames as Grafana's data sources do.
import { get } from './ask.js';
import { intervals, stepFor } from './interpolate.js';
import { heatFrame, logFrame, nativeHeatFrame, seriesFrames, tableFrame } from './frames.js';

export async function runPanel(panel, width, range, replace) {
  const step = stepFor(range, panel.maxDataPoints || width, panel.interval);
  const macros = intervals(range, step);
  const answers = await Promise.all(panel.targets.map((t) => run(t, panel, { range, step, many: panel.targets.length > 1, expr: replace(withMacros(t.expr, macros)) })));
  return answers.flat();
}

// runExemplars returns the single observations that queries of a panel ask for.
export async function runExemplars(panel, width, range, replace) {
  const macros = intervals(range, stepFor(range, panel.maxDataPoints || width, panel.interval));
  const lists = await Promise.all(panel.targets.filter((t) => t.exemplar).map(async (t) => {
    const { data } = await get('/prometheus/api/v1/query_exemplars', { query: replace(withMacros(t.expr, macros)), start: range.from.valueOf() / 1000, end: range.to.valueOf() / 1000 });
    return data.flatMap((s) => s.exemplars.map((e) => ({ time: e.timestamp * 1000, value: Number(e.value) })));
  }));
  return lists.flat();
}

export const withMacros = (text, macros) => text.replace(/\$(?:\{(\w+)\}|(\w+))/g, (whole, a, b) => macros[a || b] ?? whole);

async function run(target, panel, q) {
  const loki = (target.datasource || panel.datasource).type === 'loki';
  const answer = loki ? await askLoki(target, q) : await askPrometheus(target, q);
  if (answer.resultType === 'streams') return [logFrame(answer.result, target)];
  if (target.format === 'table') return [tableFrame(answer.result, target, q.many ? `Value #${target.refId}` : 'Value')];
  if (loki && target.queryType === 'instant') return [tableFrame(answer.result, target, `Value #${target.refId}`)];
  if (answer.result.some((s) => s.histograms)) return nativeHeatFrame(answer.result, q.step);
  const frames = seriesFrames(answer.result, target, q.step);
  return target.format === 'heatmap' ? heatFrame(frames) : frames;
}

async function askPrometheus(target, q) {
  if (target.instant) {
    return (await get('/prometheus/api/v1/query', { query: q.expr, time: q.range.to.valueOf() / 1000 })).data;
  }
  const step = q.step / 1000;
  const down = (t) => Math.floor(t.valueOf() / q.step) * step;
  return (await get('/prometheus/api/v1/query_range', { query: q.expr, start: down(q.range.from), end: down(q.range.to), step })).data;
}

async function askLoki(target, q) {
  const ns = (t) => t.valueOf() + '000000';
  if (target.queryType === 'instant') return (await get('/loki/api/v1/query', { query: q.expr, time: ns(q.range.to) })).data;
  return (await get('/loki/api/v1/query_range', {
    query: q.expr, start: ns(q.range.from), end: ns(q.range.to), step: q.step / 1000 + 's',
    limit: target.maxLines || 1000, direction: target.direction || 'backward',
  })).data;
}
