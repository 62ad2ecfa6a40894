// A list of records of our own: Grafana's logs panel is not published.
import React from 'react';

const levels = { error: '#e24d42', critical: '#705da0', warn: '#eab839', warning: '#eab839', info: '#7eb26d', debug: '#1f78c1' };

export function Logs({ panel, frames, theme, width, height }) {
  const rows = frames.flatMap((f) => f.logs || []);
  const { options } = panel;
  return (
    <div style={{ width, height, overflow: 'auto', fontFamily: theme.typography.fontFamilyMonospace, fontSize: 12, lineHeight: '18px' }}>
      {rows.map((row, i) => (
        <div key={i} style={{ display: 'flex', borderBottom: `1px solid ${theme.colors.border.weak}`, padding: '1px 0' }}>
          <span style={{ width: 3, marginRight: 6, background: levels[row.labels.level || row.labels.detected_level || row.labels.severity] || theme.colors.text.disabled, flexShrink: 0 }} />
          {options.showTime && <span style={{ color: theme.colors.text.secondary, marginRight: 10, whiteSpace: 'nowrap' }}>{stamp(row.time)}</span>}
          <span style={{ whiteSpace: options.wrapLogMessage ? 'pre-wrap' : 'pre', wordBreak: 'break-all' }}>{row.line}</span>
        </div>
      ))}
    </div>
  );
}

const two = (n) => String(n).padStart(2, '0');

function stamp(ms) {
  const t = new Date(ms);
  return `${t.getFullYear()}-${two(t.getMonth() + 1)}-${two(t.getDate())} ${two(t.getHours())}:${two(t.getMinutes())}:${two(t.getSeconds())}`;
}
