'use strict';
// nightly-backup: a job that PM2 starts by its clock (cron_restart) and that ends
// by itself. "Nightly" is every minute here, so that there is something to see.

const steps = ['locking tables', 'copying shop.db (48 MB)', 'copying uploads (1204 files)', 'verifying checksums'];

const started = Date.now();
const step = () => {
  const what = steps.shift();
  if (what) {
    console.log(what);
    return setTimeout(step, 500);
  }
  console.log(`backup finished after ${((Date.now() - started) / 1000).toFixed(1)} s`);
  return process.exit(0);
};
step();
