'use strict';
// Prints, for each line "zone <tab> milliseconds <tab> expression" of its input
// (all of one zone, which TZ has to name), when PM2's cron library is due next
// after that time: milliseconds, "never", or "refused".
const croner = require(process.argv[2]);

// The longest time that a timer can be set to; croner looks again after it.
const longest = 2 ** 31 - 1;

function due(expression, from) {
  // A question mark stands for the time at which the expression is read.
  const RealDate = Date;
  let job;
  global.Date = class extends RealDate {
    constructor(...args) {
      super(...(args.length === 0 ? [from] : args));
    }
  };
  try {
    job = croner(expression);
  } catch {
    return 'refused';
  } finally {
    global.Date = RealDate;
  }
  for (let at = from; ;) {
    const wait = job.msToNext(new Date(at));
    if (wait === null) return 'never';
    // What is more than ten years away is not followed.
    if (wait <= longest || (at === from && wait > 150 * longest)) return String(at + wait);
    at += longest;
  }
}

const lines = require('fs').readFileSync(0, 'utf8').split('\n').filter(Boolean);
for (const line of lines) {
  const [, from, expression] = line.split('\t');
  console.log(due(expression, Number(from)));
}
