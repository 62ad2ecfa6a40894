'use strict';
// reports: renders sales reports. It keeps every report "for the cache" and never
// drops one, which is a leak: about 0.2 MB per second. PM2 restarts it at the
// max_memory_restart of the ecosystem file.

const EVERY = Number(process.env.REPORTS_EVERY_MS || 500);
const cache = new Map();
let day = 0;

function render(day) {
  const rows = [];
  for (let hour = 0; hour < 24; hour++) {
    rows.push({ day, hour, orders: Math.floor(Math.random() * 90), revenue: Math.random() * 1e5, note: 'x'.repeat(4000) + hour });
  }
  // Buffers, so that the growth is seen in the resident memory at once.
  return Buffer.from(JSON.stringify(rows));
}

setInterval(() => {
  // The key holds the time, so nothing is ever found again.
  cache.set(`${day++}@${Date.now()}`, render(day));
}, EVERY);

setInterval(() => console.log(`${cache.size} reports in the cache`), 10000);

console.log('reports is up');
