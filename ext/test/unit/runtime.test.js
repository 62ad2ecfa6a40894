'use strict'

const test = require('node:test')
const assert = require('node:assert/strict')
const v8 = require('v8')
const vm = require('vm')
const { PerformanceObserver, constants, performance } = require('perf_hooks')
const { Runtime } = require('../../lib/runtime/runtime.js')
const { Guard } = require('../../lib/guard.js')
const { Ext } = require('../../lib/start.js')
const { defaults } = require('../../lib/options.js')
const { sleep } = require('../helpers/requests.js')

function block (ms) {
  const end = performance.now() + ms
  while (performance.now() < end);
}

test('every pause is counted, however many come at once', async () => {
  v8.setFlagsFromString('--expose-gc')
  const gc = vm.runInNewContext('gc')
  const runtime = new Runtime(new Guard())
  await sleep(50)
  assert.equal(runtime.report().afterGC, null)
  let seen = 0
  const observer = new PerformanceObserver((list) => { seen += list.getEntries().filter((e) => e.detail.kind === constants.NODE_PERFORMANCE_GC_MAJOR).length })
  observer.observe({ entryTypes: ['gc'] })
  for (let i = 0; i < 5; i++) gc()
  await sleep(100)
  const report = runtime.report()
  observer.disconnect()
  runtime.stop()
  assert.ok(seen >= 5)
  assert.equal(report.gc.major[0], seen)
  assert.equal(report.gc.major[2].reduce((a, b) => a + b, 0), seen)
  assert.ok(report.gc.major[1] > 0)
  assert.ok(report.afterGC > 1e6 && report.afterGC < report.heap[2])
})

test('delay: nothing of the resolution when idle, all of a block, and its maximum for a minute', async () => {
  const runtime = new Runtime(new Guard())
  await sleep(300)
  const idle = runtime.report()
  assert.equal(idle.delay.length, 7)
  assert.ok(idle.delay.every((s) => s >= 0))
  assert.ok(idle.delay[4] < 0.03, `median ${idle.delay[4]}`)
  // At once, where the histogram alone would miss it.
  block(400)
  await sleep(150)
  const after = runtime.report()
  assert.ok(after.delay[2] > 0.25 && after.delay[2] < 1, `max ${after.delay[2]}`)
  await sleep(120)
  const later = runtime.report()
  runtime.stop()
  assert.ok(later.delay[2] < 0.25)
  assert.equal(later.delayMax, after.delay[2])
})

test('the maximum leaves after a minute', () => {
  const { Delay } = require('../../lib/runtime/delay.js')
  const delay = new Delay()
  delay.maxima.push([0, 9])
  assert.equal(delay.read(59000).max, 9)
  assert.ok(delay.read(60000).max < 9)
  delay.stop()
})

test('active and idle time only grow', async () => {
  const runtime = new Runtime(new Guard())
  const [active, idle] = runtime.report().loop
  block(50)
  await sleep(50)
  const [active2, idle2] = runtime.report().loop
  runtime.stop()
  assert.ok(active2 - active >= 0.04)
  assert.ok(idle2 >= idle)
})

test('a report of 100 routes takes less than a millisecond', () => {
  const transport = { ready: () => true, report (topic, data) { JSON.stringify({ type: topic, data }) }, record () {} }
  const ext = new Ext({ ...defaults(), runtime: false }, transport)
  const { table } = ext.requests
  const observe = () => {
    for (let i = 0; i < 100; i++) table.observe(table.series(table.named(`/route/${i}`), 'GET', 1), 10 ** (Math.random() * 3 - 4))
  }
  for (let i = 0; i < 300; i++) observe()
  const times = []
  for (let i = 0; i < 101; i++) {
    observe()
    const start = performance.now()
    ext.reporter.flush(false)
    times.push(performance.now() - start)
  }
  // The median: other programs share this machine.
  const median = times.sort((a, b) => a - b)[50]
  assert.ok(median < 1, `${median} ms`)
})
