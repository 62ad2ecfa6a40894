// Addresses as Grafana has them: /d/UID?var-NAME=VALUE&from=now-1h&to=now. Of our own
// are lang=zh, theme=dark and open=all, which opens all rows.
import { dateTime, rangeUtil } from '@grafana/data';

const own = ['lang', 'theme', 'open'];

export function readAddress(url) {
  const query = new URLSearchParams(url.search);
  const vars = {};
  for (const [name, value] of query) {
    if (name.startsWith('var-')) (vars[name.slice(4)] ||= []).push(value);
  }
  return {
    uid: url.pathname.match(/^\/d\/([\w-]+)/)?.[1] || 'pm25-fleet',
    vars, from: query.get('from'), to: query.get('to'),
    language: query.get('lang') === 'zh' ? 'zh' : 'en',
    theme: query.get('theme') === 'dark' ? 'dark' : 'light',
    openAll: query.get('open') === 'all',
  };
}

// keepOwn adds what is of our own to a link of a board.
export function keepOwn(href) {
  if (!href.startsWith('/d/')) return href;
  const now = new URLSearchParams(location.search);
  const more = own.filter((name) => now.get(name)).map((name) => `${name}=${now.get(name)}`);
  return more.length ? href + (href.includes('?') ? '&' : '?') + more.join('&') : href;
}

const instant = (text) => (/^\d+$/.test(text) ? dateTime(Number(text)) : text);

export function timeRange(board, address) {
  const raw = { from: instant(address.from || board.time.from), to: instant(address.to || board.time.to) };
  return rangeUtil.convertRawToRange(raw);
}
