'use strict'

const assert = require('node:assert/strict')
const { series } = require('./child.js')

/** Both layouts of every series must hold as many requests as its count says. */
function checkBuckets (reports) {
  const all = series(reports)
  assert.ok(all.size > 0, 'no series at all')
  for (const [key, row] of all) {
    const [, , , count, sum, classic, zero, runs] = row
    const inClassic = classic.reduce((a, b) => a + b, 0)
    const inRuns = runs.reduce((a, run) => a + run.slice(1).reduce((b, c) => b + c, 0), 0)
    assert.equal(classic.length, 13, key)
    // What is above the last bound stands in the count only; no test takes 10 s.
    assert.equal(inClassic, count, `classic buckets of ${key}`)
    assert.equal(inRuns + zero, count, `exponential buckets of ${key}`)
    assert.ok(sum >= 0, key)
    let before = -Infinity
    for (const [first, ...counts] of runs) {
      assert.ok(first > before, `runs in order in ${key}`)
      before = first + counts.length
      assert.ok(counts.every((n) => n > 0), `no empty bucket in a run of ${key}`)
    }
  }
}

/** Nothing of a query string, in whatever was sent. */
function checkNoQuery (app) {
  assert.ok(!JSON.stringify(app.messages).includes('hunter2'), 'a query string was sent')
}

module.exports = { checkBuckets, checkNoQuery }
