// What is above the panels: title, time range, variables, links and kinds of marks.
import React from 'react';
import { rangeUtil } from '@grafana/data';
import { keepOwn } from './address.js';
import { all, queryparam } from './interpolate.js';

export function Bar({ board, scene, range, theme }) {
  const muted = { color: theme.colors.text.secondary };
  const box = { border: `1px solid ${theme.colors.border.medium}`, borderRadius: 3, padding: '3px 8px', background: theme.colors.background.primary };
  return (
    <div style={{ marginBottom: 12, fontSize: 13 }}>
      <div style={{ display: 'flex', alignItems: 'baseline', gap: 16, marginBottom: 8 }}>
        <h1 style={{ ...theme.typography.h3, margin: 0 }}>{board.title}</h1>
        <span style={{ ...muted, flex: 1, overflow: 'hidden', textOverflow: 'ellipsis', whiteSpace: 'nowrap' }} title={board.description}>{board.description}</span>
        <span style={box}>{rangeUtil.describeTimeRange(range.raw)}</span>
      </div>
      <div style={{ display: 'flex', flexWrap: 'wrap', gap: 8, alignItems: 'center' }}>
        {scene.variables.filter((v) => v.hide !== 2).map((v) => <Variable key={v.name} v={v} box={box} muted={muted} scene={scene} />)}
      </div>
      <div style={{ display: 'flex', flexWrap: 'wrap', gap: '4px 14px', alignItems: 'center', marginTop: 8 }}>
        {board.annotations.list.map((a) => (
          <span key={a.name} style={muted} data-marks-of={a.name} data-marks={scene.marks.filter((m) => m.name === a.name).length}><span style={{ color: theme.visualization.getColorByName(a.iconColor) }}>▏</span>{a.name}</span>
        ))}
        <span style={{ flex: 1 }} />
        {(board.links || []).map((l) => <a key={l.title} href={hrefOf(l, scene, range)} style={{ color: theme.colors.text.link }}>{l.title}</a>)}
      </div>
    </div>
  );
}

// A variable is chosen from its options, or by the address.
function Variable({ v, box, muted, scene }) {
  const text = v.values.map((x) => (x === all ? 'All' : x)).join(' + ') || 'None';
  const choose = (event) => {
    const query = new URLSearchParams(location.search);
    query.delete(`var-${v.name}`);
    query.set(`var-${v.name}`, event.target.value);
    location.search = query;
  };
  if (v.source) return <span style={box}><span style={muted}>{v.label}</span> {text}</span>;
  return (
    <label style={box}>
      <span style={muted}>{v.label}</span>{' '}
      <select value={v.values.length === 1 ? v.values[0] : ''} onChange={choose} style={{ border: 0, background: 'none', color: 'inherit', maxWidth: 220, width: 'auto', height: 20, padding: 0, margin: 0, lineHeight: '20px', font: 'inherit', boxShadow: 'none' }} disabled={!scene}>
        {v.values.length !== 1 && <option value="">{text}</option>}
        {v.includeAll && <option value={all}>All</option>}
        {[...new Set([...v.values.filter((x) => x !== all), ...v.options])].map((o) => <option key={o}>{o}</option>)}
      </select>
    </label>
  );
}

function hrefOf(link, scene, range) {
  const raw = (t) => (typeof t === 'string' ? t : t.valueOf());
  const parts = [];
  if (link.includeVars) parts.push(...scene.variables.map(queryparam));
  if (link.keepTime) parts.push(`from=${raw(range.raw.from)}`, `to=${raw(range.raw.to)}`);
  const url = scene.replace(link.url);
  return keepOwn(parts.length ? `${url}${url.includes('?') ? '&' : '?'}${parts.join('&')}` : url);
}
