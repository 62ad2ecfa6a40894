// Which settings of fields there are, for Grafana's own applyFieldOverrides. Grafana's
// registry of them is not published; ours takes each setting as it is.
import { FieldConfigOptionsRegistry, standardTransformers, standardTransformersRegistry } from '@grafana/data';

const common = ['unit', 'decimals', 'min', 'max', 'noValue', 'displayName', 'color', 'thresholds', 'mappings', 'links'];
const custom = [
  'align', 'cellOptions', 'inspect', 'width', 'hidden', 'filterable', // tables
  'drawStyle', 'lineInterpolation', 'lineWidth', 'fillOpacity', 'gradientMode', 'showPoints', 'pointSize', 'lineStyle', 'lineColor', 'barAlignment', 'barWidthFactor',
  'axisPlacement', 'axisColorMode', 'axisLabel', 'axisSoftMin', 'axisSoftMax', 'axisBorderShow', 'axisCenteredZero', 'axisGridShow', 'axisWidth',
  'scaleDistribution', 'stacking', 'thresholdsStyle', 'hideFrom', 'spanNulls', 'insertNulls', 'transform',
];

const item = (path, isCustom) => ({
  id: isCustom ? `custom.${path}` : path, path, name: path, isCustom, settings: {}, description: '',
  process: (value) => value, shouldApply: () => true, override: () => null, editor: () => null,
});

export const registry = new FieldConfigOptionsRegistry(() => [...common.map((p) => item(p, false)), ...custom.map((p) => item(p, true))]);

export function setTransformations() {
  standardTransformersRegistry.setInit(() => [...new Map(Object.values(standardTransformers).map((t) => [t.id, t])).values()].map((t) => ({
    id: t.id, name: t.name, transformation: () => Promise.resolve(t), editor: () => null, imageDark: '', imageLight: '',
  })));
}
