// A small team's host: what PM25 is shown on, and what its demo starts.
//
//   pm2 start examples/ecosystem.config.js
//
// The apps need nothing but Node. Those that serve HTTP listen on loopback only,
// on consecutive ports from SHOP_PORT_BASE (4300) on.

'use strict';

const path = require('path');

const base = Number(process.env.SHOP_PORT_BASE || 4300);
const [web, api, orders] = [base, base + 1, base + 2];

// Every app lives in the folder that bears its name, with a package.json, from
// which PM2 (and so PM25) learns its version.
const app = (folder, more) => ({
  name: folder,
  cwd: path.join(__dirname, folder),
  script: 'index.js',
  ...more,
});

module.exports = {
  apps: [
    // The storefront: server-rendered pages, one process.
    app('shop-web', {
      env: { PORT: web, API_URL: `http://127.0.0.1:${api}` },
    }),

    // The API behind it: two workers that share one port, reloaded without a gap.
    app('shop-api', {
      exec_mode: 'cluster',
      instances: 2,
      kill_timeout: 3000,
      env: { PORT: api },
    }),

    // Sends mail from a queue. No port, only timers and logs.
    app('mailer'),

    // Has a bug: it crashes every few seconds, and PM2 starts it again.
    app('payments'),

    // Leaks memory, slowly, until PM2 restarts it.
    app('reports', {
      max_memory_restart: '300M',
    }),

    // Kept "just in case", and not running.
    app('legacy', {
      autostart: false,
    }),

    // A job, not a service: runs for some seconds at every full minute.
    app('nightly-backup', {
      autorestart: false,
      cron_restart: '* * * * *',
    }),

    // The order service of the sister team, in a namespace of its own.
    app('order-service', {
      name: '订单服务',
      namespace: '华东',
      env: { PORT: orders },
    }),
  ],
};
