// A panel: asks, and draws what comes.
import React, { useEffect, useState } from 'react';
import { applyFieldOverrides, cacheFieldDisplayNames, LoadingState } from '@grafana/data';
import { PanelChrome } from '@grafana/ui';
import { registry } from './fields.js';
import { runExemplars, runPanel } from './query.js';
import { transformed } from './transform.js';
import { Stat } from './panels/stat.jsx';
import { Graph } from './panels/graph.jsx';
import { Bars } from './panels/bars.jsx';
import { Rows } from './panels/rows.jsx';
import { Timeline } from './panels/timeline.jsx';
import { Heatmap } from './panels/heatmap.jsx';
import { Logs } from './panels/logs.jsx';
import { Markdown } from './panels/text.jsx';

const kinds = { stat: Stat, timeseries: Graph, bargauge: Bars, table: Rows, 'state-timeline': Timeline, heatmap: Heatmap, logs: Logs };

export function Panel({ panel, box, scene, range, theme }) {
  const [state, setState] = useState({});
  const width = Math.round(box.width);
  useEffect(() => {
    let gone = false;
    if (panel.type === 'text') return undefined;
    load(panel, width, scene, range, theme).then((s) => !gone && setState(s), (err) => !gone && setState({ error: err.message, done: true }));
    return () => { gone = true; };
  }, [panel, width, scene, range, theme]);
  const [drawn, setDrawn] = useState(panel.type === 'text');
  useEffect(() => { // tables measure themselves first
    if (state.done) setTimeout(() => requestAnimationFrame(() => requestAnimationFrame(() => setDrawn(true))), 300);
  }, [state]);
  const Kind = kinds[panel.type];
  return (
    <div style={{ position: 'absolute', ...box }} data-panel={panel.title} data-done={drawn ? 'yes' : 'no'} data-empty={state.empty ? 'yes' : undefined} data-points={state.points?.length || undefined}>
      <PanelChrome title={panel.title} description={panel.description} width={width} height={box.height} padding={panel.type === 'table' ? 'none' : 'md'} loadingState={state.done ? LoadingState.Done : LoadingState.Loading} statusMessage={state.error}>
        {(w, h) => {
          if (panel.type === 'text') return <Markdown text={panel.options.content} />;
          if (!Kind) return <Middle theme={theme}>no renderer for {panel.type}</Middle>;
          if (state.error) return <Middle theme={theme}>{state.error}</Middle>;
          if (!state.done) return null;
          if (state.empty && panel.type !== 'stat') return <Middle theme={theme}>{panel.fieldConfig.defaults.noValue || 'No data'}</Middle>;
          return <Kind panel={panel} frames={state.frames} marks={scene.marks} points={state.points} replace={scene.replace} range={range} theme={theme} width={w} height={h} />;
        }}
      </PanelChrome>
    </div>
  );
}

const Middle = ({ theme, children }) => (
  <div style={{ height: '100%', display: 'flex', alignItems: 'center', justifyContent: 'center', color: theme.colors.text.secondary, textAlign: 'center', padding: 8 }}>{children}</div>
);

async function load(panel, width, scene, range, theme) {
  const raw = await runPanel(panel, width, range, scene.replace);
  const data = await transformed(raw, panel, scene.replace);
  const frames = applyFieldOverrides({ data, fieldConfig: panel.fieldConfig, fieldConfigRegistry: registry, replaceVariables: scene.replace, theme, timeZone: 'browser' });
  cacheFieldDisplayNames(frames);
  const points = await runExemplars(panel, width, range, scene.replace);
  return { frames, points, done: true, empty: frames.every((f) => f.length === 0) };
}
