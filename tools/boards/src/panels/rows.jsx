import React from 'react';
import { TableNG } from '@grafana/ui/unstable';

export function Rows({ panel, frames, range, width, height }) {
  const frame = frames[0];
  if (!frame) return null;
  return (
    <TableNG
      data={frame} width={width} height={height} sortBy={panel.options.sortBy} sortByBehavior="initial" cellHeight={panel.options.cellHeight} timeRange={range}
      noValue={panel.fieldConfig.defaults.noValue} fieldConfig={panel.fieldConfig} structureRev={1} enableVirtualization={false} disableSanitizeHtml
    />
  );
}
