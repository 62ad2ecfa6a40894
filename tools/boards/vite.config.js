// Serves the page, the generated boards, and the APIs of PM25_URL, all from one
// loopback address.
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

const here = path.dirname(fileURLToPath(import.meta.url));
const generated = process.env.PM25_BOARDS || path.join(here, '../../dashboards/generated');
const icons = path.join(here, 'node_modules/@grafana/ui/dist/public/img');
const fonts = path.join(here, 'node_modules/@fontsource/inter/files');
const weights = { Regular: 400, Medium: 500 }; // by the names that Grafana's styles ask for
const server = process.env.PM25_URL || 'http://127.0.0.1:9725';

const within = (folder, name) => {
  const file = path.join(folder, path.normalize('/' + decodeURIComponent(name.split('?')[0])));
  return fs.existsSync(file) && fs.statSync(file).isFile() ? file : undefined;
};

// files answers with what is in a folder, read anew each time: boards are generated
// again while one looks at them.
const files = (folder, type) => (req, res, next) => {
  const file = within(folder, req.url);
  if (!file) return next();
  res.setHeader('content-type', type);
  res.setHeader('cache-control', 'no-store');
  fs.createReadStream(file).pipe(res);
};

const font = (req, res, next) => {
  const weight = weights[req.url.match(/Inter-(\w+)\.woff2/)?.[1]];
  req.url = `/inter-latin-${weight}-normal.woff2`;
  files(fonts, 'font/woff2')(req, res, next);
};

const attach = (s) => {
  s.middlewares.use('/public/fonts/inter', font);
  s.middlewares.use('/boards', files(generated, 'application/json'));
  s.middlewares.use('/public/build/img', files(icons, 'image/svg+xml'));
};

const proxy = { '/prometheus': { target: server, changeOrigin: true }, '/loki': { target: server, changeOrigin: true } };

export default defineConfig({
  root: here,
  plugins: [{ name: 'boards', configureServer: attach, configurePreviewServer: attach }],
  server: { host: '127.0.0.1', port: Number(process.env.PORT || 9727), strictPort: true, proxy },
  preview: { host: '127.0.0.1', port: Number(process.env.PORT || 9727), strictPort: true, proxy },
  build: { outDir: 'dist', chunkSizeWarningLimit: 20000, sourcemap: false },
  clearScreen: false,
});
