import React from 'react';
import { getFieldDisplayValues } from '@grafana/data';
import { BigValue, VizRepeater } from '@grafana/ui';

export function Stat({ panel, frames, replace, theme, width, height }) {
  const { options } = panel;
  const values = () => getFieldDisplayValues({
    fieldConfig: panel.fieldConfig, reduceOptions: options.reduceOptions, replaceVariables: replace, theme, data: frames, timeZone: 'browser',
    sparkline: options.graphMode !== 'none',
  });
  return (
    <VizRepeater
      getValues={values} source={frames} width={width} height={height} orientation="auto" autoGrid itemSpacing={3}
      renderValue={({ value, count, width: w, height: h }) => (
        <BigValue
          value={value.display} sparkline={value.sparkline} count={count} colorMode={options.colorMode} graphMode={options.graphMode}
          justifyMode={options.justifyMode} textMode={options.textMode} theme={theme} width={w} height={h} wideLayout={options.wideLayout}
        />
      )}
    />
  );
}
