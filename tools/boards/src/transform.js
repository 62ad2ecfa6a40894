import { transformDataFrame } from '@grafana/data';
import { lastValueFrom } from 'rxjs';

// transformed applies the panel's transformations, which are Grafana's own.
export function transformed(frames, panel, replace) {
  if (!panel.transformations?.length) return frames;
  const filled = frames.filter((f) => f.length > 0);
  return lastValueFrom(transformDataFrame(panel.transformations, filled.length ? filled : frames.slice(0, 1), { interpolate: replace }));
}
