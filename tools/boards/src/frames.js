// Data frames out of answers, named as Grafana's data sources name them.
import { FieldType } from '@grafana/data';

const legendOf = (format, labels) => (format ? format.replace(/\{\{\s*([\w.]+)\s*\}\}/g, (_, name) => labels[name] ?? '') : plain(labels));

function plain({ __name__: name = '', ...labels }) {
  const inner = Object.entries(labels).map(([k, v]) => `${k}="${v}"`).join(', ');
  return inner ? `${name}{${inner}}` : name || 'Value';
}

const number = (s) => (s === '+Inf' ? Infinity : s === '-Inf' ? -Infinity : Number(s));

export function seriesFrames(result, target, step) {
  return result.map((series) => {
    const points = series.values || [series.value];
    const name = legendOf(target.legendFormat, series.metric);
    return {
      refId: target.refId, name, length: points.length,
      fields: [
        { name: 'Time', type: FieldType.time, config: { interval: step }, values: points.map(([t]) => t * 1000) },
        { name: 'Value', type: FieldType.number, config: { displayNameFromDS: name }, labels: series.metric, values: points.map(([, v]) => number(v)) },
      ],
    };
  });
}

export function tableFrame(result, target, valueName) {
  const labels = [...new Set(result.flatMap((s) => Object.keys(s.metric)))].sort();
  const column = (name, type, values) => ({ name, type, config: {}, values });
  const fields = [column('Time', FieldType.time, result.map((s) => s.value[0] * 1000))];
  for (const label of labels) fields.push(column(label, FieldType.string, result.map((s) => s.metric[label] ?? '')));
  fields.push(column(valueName, FieldType.number, result.map((s) => number(s.value[1]))));
  return { refId: target.refId, fields, length: result.length };
}

export function logFrame(streams) {
  const rows = streams.flatMap((s) => s.values.map(([ns, line, more]) => ({ time: Number(ns) / 1e6, line, labels: { ...s.stream, ...more?.structuredMetadata } })));
  rows.sort((a, b) => b.time - a.time);
  return { logs: rows, fields: [], length: rows.length };
}

// heatFrame takes what is in lower buckets out of each, and orders them.
export function heatFrame(frames) {
  const bound = (f) => number(f.fields[1].labels.le);
  const sorted = [...frames].sort((a, b) => bound(a) - bound(b));
  if (sorted.length === 0) return [];
  const times = [...new Set(sorted.flatMap((f) => f.fields[0].values))].sort((a, b) => a - b);
  let below = times.map(() => 0);
  const rows = sorted.map((f) => {
    const at = new Map(f.fields[0].values.map((t, i) => [t, f.fields[1].values[i]]));
    const total = times.map((t) => at.get(t));
    const values = total.map((v, i) => (v === undefined ? undefined : Math.max(0, v - below[i])));
    below = total.map((v, i) => v ?? below[i]);
    return { bound: bound(f), values };
  });
  return [{ heat: { times, rows, step: sorted[0].fields[0].config.interval }, fields: [], length: times.length }];
}

// nativeHeatFrame takes the buckets of native histograms, which differ over time: a row
// for each that was ever there.
export function nativeHeatFrame(result, step) {
  const points = result.flatMap((s) => s.histograms || []).map(([t, h]) => [t * 1000, h.buckets || []]);
  const times = [...new Set(points.map(([t]) => t))].sort((a, b) => a - b);
  const rows = new Map();
  for (const [t, buckets] of points) {
    for (const [, , upper, count] of buckets) {
      if (!rows.has(upper)) rows.set(upper, { bound: number(upper), values: times.map(() => undefined) });
      const { values } = rows.get(upper);
      const i = times.indexOf(t);
      values[i] = (values[i] || 0) + Number(count);
    }
  }
  if (rows.size === 0) return [];
  return [{ heat: { times, rows: [...rows.values()].sort((a, b) => a.bound - b.bound), step }, fields: [], length: times.length }];
}
