// The variables of a board: their options, each asked for with what the ones before it
// chose, and what is chosen.
import { all, forQuery } from './interpolate.js';
import { get } from './ask.js';

export async function resolve(board, address, range) {
  const done = [];
  for (const v of board.templating.list) {
    done.push(v.type === 'datasource' ? source(v) : await queried(v, address.vars[v.name], done, range));
  }
  return done;
}

const source = (v) => ({ name: v.name, label: v.label, hide: v.hide, options: ['pm25'], values: ['pm25'], source: true });

async function queried(v, asked, before, range) {
  const text = String(v.query.query || v.query).replace(/\$(\w+)/g, (whole, name) => {
    const known = before.find((b) => b.name === name);
    return known ? forQuery(known) : whole;
  });
  const found = text.match(/^label_values\((?:(.+),\s*)?(\w+)\)$/s);
  if (!found) throw new Error(`variable ${v.name}: ${text} is not label_values()`);
  const params = { start: range.from.unix(), end: range.to.unix() };
  if (found[1]) params['match[]'] = found[1];
  const options = (await get(`/prometheus/api/v1/label/${found[2]}/values`, params)).data;
  options.sort((a, b) => a.localeCompare(b, undefined, { numeric: true, sensitivity: 'base' }));
  return { name: v.name, label: v.label, hide: v.hide, options, values: choose(v, asked, options), allValue: v.allValue, includeAll: v.includeAll };
}

function choose(v, asked, options) {
  const isAll = (values) => values?.some((x) => x === all || x === 'All');
  if (asked && !isAll(asked)) return asked; // custom values are allowed
  if (v.includeAll) return [all];
  return options.slice(0, 1);
}
