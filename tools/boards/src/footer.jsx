import React from 'react';

export function Footer({ theme }) {
  return (
    <p style={{ marginTop: 16, fontSize: 12, color: theme.colors.text.secondary }}>
      Not Grafana: an approximation for development. Numbers, bars, graphs, tables and panel frames are drawn by Grafana&apos;s published components; timelines, heatmaps, logs,
      marks, the bar above and the grid are our own. That Grafana imports the files is not tested here.
    </p>
  );
}
