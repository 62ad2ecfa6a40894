'use strict';
// Waits for the file `flood` in PM2's home, {"mbps": n, "ms": n}, writes log
// lines of 200 bytes at that rate, and then the file `flood.done` with what
// it wrote.
const fs = require('fs');
const path = require('path');

const order = path.join(process.env.PM2_HOME, 'flood');
const line = 'x'.repeat(199) + '\n';

function flood({ mbps, ms }) {
  const begun = Date.now();
  let lines = 0;
  const step = () => {
    const age = Date.now() - begun;
    if (age >= ms) {
      process.stdout.write('', () => {
        fs.writeFileSync(order + '.tmp', JSON.stringify({ lines, bytes: lines * line.length, ms: age }));
        fs.renameSync(order + '.tmp', order + '.done');
      });
      return;
    }
    const due = Math.floor((age * mbps * 1000) / line.length) - lines;
    const n = Math.max(0, Math.min(due, 20000));
    // The next step waits until this one is in the pipe.
    if (n === 0) { setTimeout(step, 5); return; }
    lines += n;
    process.stdout.write(line.repeat(n), () => setTimeout(step, 1));
  };
  step();
}

setInterval(() => {
  if (!fs.existsSync(order)) return;
  const what = JSON.parse(fs.readFileSync(order, 'utf8'));
  fs.unlinkSync(order);
  flood(what);
}, 50);
