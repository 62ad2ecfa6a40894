// A board: its bar of variables and links, and its panels on Grafana's grid.
import React, { useEffect, useMemo, useState } from 'react';
import { keepOwn, timeRange } from './address.js';
import { resolve } from './variables.js';
import { replacer } from './interpolate.js';
import { marksOf } from './annotations.js';
import { Bar } from './bar.jsx';
import { Panel } from './panel.jsx';
import { Footer } from './footer.jsx';

const cell = 30;
const gutter = 8;
const padding = 16;

export function Board({ board, address, theme }) {
  const range = useMemo(() => timeRange(board, address), [board, address]);
  const [scene, setScene] = useState();
  const [failure, setFailure] = useState();
  const [opened, setOpened] = useState(() => new Set());
  useEffect(() => {
    (async () => {
      const variables = await resolve(board, address, range);
      const replace = replacer(variables, {}, range);
      setScene({ variables, replace, marks: await marksOf(board, range, replace, theme) });
    })().catch((err) => setFailure(err.message));
  }, [board, address, range, theme]);
  useEffect(() => {
    const follow = (event) => { // links inside of panels are those of Grafana
      const a = event.target.closest?.('a[href^="/d/"]');
      if (a) a.setAttribute('href', keepOwn(a.getAttribute('href')));
    };
    document.addEventListener('click', follow, true);
    return () => document.removeEventListener('click', follow, true);
  }, []);

  if (failure) return <pre style={{ padding }}>{failure}</pre>;
  if (!scene) return <p style={{ padding }}>…</p>;
  const toggle = (id) => setOpened((old) => new Set(old.has(id) ? [...old].filter((x) => x !== id) : [...old, id]));
  const { placed, height } = layout(board.panels, (p) => address.openAll || opened.has(p.id));
  return (
    <div style={{ padding, color: theme.colors.text.primary }}>
      <Bar board={board} scene={scene} range={range} theme={theme} />
      <div style={{ position: 'relative', height }}>
        {placed.map(({ panel, box }) => (panel.type === 'row'
          ? <Row key={panel.id} panel={panel} box={box} theme={theme} open={!panel.collapsed || address.openAll || opened.has(panel.id)} toggle={() => toggle(panel.id)} />
          : <Panel key={panel.id} panel={panel} box={box} scene={scene} range={range} theme={theme} />))}
      </div>
      <Footer theme={theme} />
    </div>
  );
}

// layout opens rows and moves what is below them.
function layout(panels, isOpen) {
  const flat = [];
  let shift = 0;
  for (const p of panels) {
    flat.push({ panel: p, y: p.gridPos.y + shift });
    if (p.type !== 'row' || !p.collapsed || !isOpen(p)) continue;
    for (const inner of p.panels) flat.push({ panel: inner, y: inner.gridPos.y + shift });
    shift += Math.max(...p.panels.map((i) => i.gridPos.y + i.gridPos.h)) - p.gridPos.y - 1;
  }
  const column = (document.documentElement.clientWidth - 2 * padding - 23 * gutter) / 24;
  const size = (n, one) => n * one + (n - 1) * gutter;
  const placed = flat.map(({ panel, y }) => ({
    panel,
    box: { left: panel.gridPos.x * (column + gutter), top: y * (cell + gutter), width: size(panel.gridPos.w, column), height: size(panel.gridPos.h, cell) },
  }));
  return { placed, height: Math.max(...placed.map(({ box }) => box.top + box.height)) };
}

function Row({ panel, box, theme, open, toggle }) {
  return (
    <button
      onClick={toggle}
      style={{ position: 'absolute', ...box, textAlign: 'left', background: 'none', border: 0, padding: 0, cursor: 'pointer', ...theme.typography.h5, margin: 0, color: theme.colors.text.primary }}
    >
      {open ? '▾' : '▸'} {panel.title}{open ? '' : ` (${panel.panels.length})`}
    </button>
  );
}
