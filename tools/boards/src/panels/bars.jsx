import React from 'react';
import { getDisplayValueAlignmentFactors, getFieldDisplayValues } from '@grafana/data';
import { BarGauge, VizRepeater } from '@grafana/ui';

export function Bars({ panel, frames, replace, theme, width, height }) {
  const { options } = panel;
  const values = () => getFieldDisplayValues({ fieldConfig: panel.fieldConfig, reduceOptions: options.reduceOptions, replaceVariables: replace, theme, data: frames, timeZone: 'browser' });
  return (
    <VizRepeater
      getValues={values} source={frames} width={width} height={height} orientation={options.orientation} itemSpacing={8}
      minVizWidth={options.minVizWidth} minVizHeight={options.minVizHeight} maxVizHeight={options.sizing === 'manual' ? options.maxVizHeight : 300} getAlignmentFactors={getDisplayValueAlignmentFactors}
      renderValue={({ value, alignmentFactors, orientation, width: w, height: h, count }) => (
        <BarGauge
          value={{ ...value.display, title: value.display.title }} field={value.field} display={value.view?.getFieldDisplayProcessor(value.colIndex)} alignmentFactors={alignmentFactors}
          orientation={orientation} displayMode={options.displayMode} valueDisplayMode={options.valueMode} namePlacement={options.namePlacement} showUnfilled={options.showUnfilled}
          text={options.text} itemSpacing={8} lcdCellWidth={12} theme={theme} width={w} height={h} isOverflow={count > 50}
        />
      )}
    />
  );
}
