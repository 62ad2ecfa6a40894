// Variables and macros in queries, titles and links, in the forms that Grafana has for
// them: $name, ${name}, ${name:format}, ${name.path}.
import { rangeUtil } from '@grafana/data';

export const all = '$__all';
const pattern = /\$\{(\w+)(?:\.([^}:]+))?(?::(\w+))?\}|\$(\w+)/g;

export const scrapeInterval = 5000; // timeInterval of the provisioned data source

// intervals are the macros about time, for a query with this step in milliseconds.
export function intervals(range, step) {
  const seconds = Math.max(1, Math.round((range.to.valueOf() - range.from.valueOf()) / 1000));
  const rate = Math.max(step + scrapeInterval, 4 * scrapeInterval);
  return {
    __interval: text(step), __interval_ms: String(step), __auto: text(step), __rate_interval: text(rate),
    __range: seconds + 's', __range_s: String(seconds), __range_ms: String(seconds * 1000),
    __from: String(range.from.valueOf()), __to: String(range.to.valueOf()),
  };
}

const text = (ms) => rangeUtil.secondsToHms ? rangeUtil.secondsToHms(ms / 1000) : ms / 1000 + 's';

// stepFor is the step of a range query that is drawn on so many pixels.
// least is the panel's own bound, such as 1m.
export function stepFor(range, points, least) {
  return rangeUtil.calculateInterval(range, Math.max(1, Math.round(points)), least || scrapeInterval + 'ms').intervalMs;
}

const escapeRegex = (s) => s.replace(/\\/g, '\\\\\\\\').replace(/[$^*{}[\]+?.()|]/g, '\\\\$&');

// forQuery is how data sources write a variable that may have several values.
export function forQuery(v) {
  if (v.values.length === 1 && v.values[0] === all) return v.allValue || `(${v.options.map(escapeRegex).join('|')})`;
  const parts = v.values.map(escapeRegex);
  return parts.length > 1 ? `(${parts.join('|')})` : parts[0] ?? '';
}

export function queryparam(v) {
  return v.values.map((value) => `var-${v.name}=${encodeURIComponent(value)}`).join('&') || `var-${v.name}=`;
}

const formats = {
  queryparam,
  percentencode: (v) => encodeURIComponent(v.values.join(',')),
  raw: (v) => v.values.join(','),
};

// replacer returns Grafana's replaceVariables: (text, scopedVars, format) => text.
export function replacer(variables, macros, range) {
  const known = Object.fromEntries(variables.map((v) => [v.name, v]));
  return (input, scoped, format) => (input || '').replace(pattern, (whole, braced, path, ownFormat, bare) => {
    const name = braced || bare;
    if (name === '__url_time_range') return `from=${raw(range.raw.from)}&to=${raw(range.raw.to)}`;
    if (macros[name] !== undefined) return macros[name];
    const context = scoped?.__dataContext?.value;
    if (context && (name === '__data' || name === '__field')) {
      const value = fromData(name, path, context);
      if (value === undefined) return whole;
      return ownFormat === 'percentencode' ? encodeURIComponent(value) : value;
    }
    const v = known[name];
    if (!v) return whole;
    return (formats[ownFormat || format] || forQuery)(v);
  });
}

const raw = (t) => (typeof t === 'string' ? t : t.valueOf());

// fromData is ${__data.fields.NAME} or ${__field.labels.NAME}.
function fromData(name, path, context) {
  const [kind, ...rest] = (path || '').split('.');
  const key = rest.join('.');
  if (name === '__field' && kind === 'labels') return context.field.labels?.[key];
  if (name === '__field' && kind === 'name') return context.field.name;
  if (name === '__data' && kind === 'fields') {
    const field = context.frame.fields.find((f) => f.name === key || f.config?.displayName === key);
    return field ? String(field.values[context.rowIndex] ?? '') : undefined;
  }
  return undefined;
}
