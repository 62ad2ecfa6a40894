'use strict'

// A small service of the kind that a scenario names. It lives in minutes that it is
// asked for: for each line on its standard input it does the work of so many of them,
// as fast as it can, and prints a sample: RSS, heap used, heap after the last major
// collection, heap size limit (bytes), CPU time since the sample before (ms).
//
// usage: node app.js SCENARIO MINUTES_PER_SAMPLE
//
// All times below are in hours, all sizes in MiB.

const { PerformanceObserver, constants } = require('perf_hooks')
const v8 = require('v8')

const MIB = 1 << 20
const scenario = process.argv[2]
const perSample = Number(process.argv[3])
const TICKS = 20 // in a sample: between them the event loop turns
const TICK = perSample / 60 / TICKS // hours
let ticks = 0
const hours = () => ticks * TICK

// About 2 KiB on the heap: an object with an array and a flat string.
const text = Buffer.alloc(1024, 'pm25')
let made = 0
function record () {
  made++
  return { id: made, fields: new Array(120).fill(made), text: text.latin1Slice(0, 900 + made % 100) }
}
const RECORD = 2080 / MIB

// What a service has at all times, and requests in flight, which live long enough to
// become garbage of the old generation, which only a major collection takes away.
// Each minute has more requests or fewer; a part of them is work for the CPU as well.
const base = globalThis.base = [] // global, or V8 sees that nobody uses it
let inFlight = []
const old = []
let busy = 1
function serve (mibPerSample) {
  if (ticks % TICKS === 1) busy = 0.7 + 0.6 * Math.random()
  for (let n = mibPerSample * busy / RECORD / TICKS; n > 0; n--) {
    const request = record()
    inFlight.push(made % 4 === 0 ? JSON.parse(JSON.stringify(request)) : request)
  }
  if (inFlight.length * RECORD > 1) {
    old.push(inFlight)
    inFlight = []
    if (old.length > 4) old.shift()
  }
}

// hold keeps as many records as make so many MiB, first in, first out.
const held = new Map()
let oldest = 0
let newest = 0
function hold (mib) {
  const want = Math.round(mib / RECORD)
  while (held.size < want) held.set(newest++, record())
  while (held.size > want) held.delete(oldest++)
}

// A least-recently-used cache, asked for random keys: it fills as 1-exp(-t/tau).
function lru (mib, tau) {
  const max = Math.round(mib / RECORD)
  const cache = new Map()
  let owed = 0
  return () => {
    for (owed += max * TICK / tau; owed >= 1; owed--) {
      const key = Math.floor(Math.random() * max)
      const hit = cache.get(key)
      cache.delete(key)
      cache.set(key, hit || record())
      if (cache.size > max) cache.delete(cache.keys().next().value)
    }
  }
}

const wave = (low, high, period) => low + (high - low) * (1 - Math.cos(2 * Math.PI * hours() / period)) / 2

// Buffers live outside of the heap.
const buffers = []
let bufferBytes = 0
function keepBuffers (mib) {
  while (bufferBytes < mib * MIB) {
    const b = Buffer.allocUnsafeSlow(32 << 10).fill(1)
    buffers.push(b)
    bufferBytes += b.length
  }
}

// Buffers whose sizes change with the hours, as many bytes at any time: what the old
// ones leave does not fit the new ones.
const pieces = []
let pieceBytes = 0
function fragment (mib) {
  const size = 600 + Math.floor(hours() * 900)
  for (let n = 0; n < 64; n++) {
    const b = Buffer.allocUnsafeSlow(size + Math.floor(Math.random() * size)).fill(1)
    pieces.push(b)
    pieceBytes += b.length
  }
  while (pieceBytes > mib * MIB) {
    const i = Math.floor(Math.random() * pieces.length)
    pieceBytes -= pieces[i].length
    pieces[i] = pieces[pieces.length - 1]
    pieces.pop()
  }
}

const warm = lru(60, 1)
const slowly = lru(70, 4)
const verySlowly = lru(60, 12)
const usual = 6 // of requests in a sample

const scenarios = {
  steady: () => serve(usual),
  cache_warmup: () => { serve(usual); warm() },
  cache_linear: () => { serve(usual); hold(Math.min(60, 20 * hours())) },
  lru_fill: () => { serve(usual); slowly() },
  lru_slow: () => { serve(usual); verySlowly() },
  cycle_4h: () => { serve(wave(0.5, 1, 4) * usual); hold(wave(0, 50, 4)) },
  cycle_24h: () => { serve(wave(0.3, 1.2, 24) * usual); hold(wave(0, 55, 24)) },
  sessions_24h: () => { serve(usual); hold(wave(0, 55, 24)) },
  batch_nightly: () => {
    const night = (hours() + 18) % 24 < 1.5 // six hours after its start
    serve((night ? 1.5 : 0.7) * usual)
    hold(night ? 60 : 0)
  },
  burst: () => {
    const burst = hours() % 5 > 4.3 // 40 minutes of every five hours
    serve((burst ? 4 : 1) * usual)
    hold(burst ? 40 : 5)
  },
  leak_quick: () => { serve(usual); hold(12 * hours()) },
  leak_fast: () => { serve(usual); hold(5 * hours()) },
  leak_late: () => { serve(usual); hold(7 * Math.max(0, hours() - 5)) },
  leak_days: () => { serve(usual); hold(1.4 * hours()) },
  leak_slow: () => { serve(usual); hold(0.5 * hours()) },
  leak_cycle: () => { serve(wave(0.3, 1.2, 24) * usual); hold(wave(0, 30, 24) + 0.4 * hours()) },
  leak_buffer: () => { serve(usual); keepBuffers(6 * hours()) },
  leak_restarts: () => { serve(usual); hold(40 * hours()) },
  fragmentation: () => { serve(usual / 2); fragment(50) }
}

let afterGC = NaN
let spent = 0
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) {
    if (entry.detail.kind === constants.NODE_PERFORMANCE_GC_MAJOR) afterGC = v8.getHeapStatistics().used_heap_size
  }
}).observe({ entryTypes: ['gc'] })

for (let n = 0; n * RECORD < 20; n++) base.push(record())
const run = scenarios[scenario]
function sample () {
  const memory = process.memoryUsage()
  const { user, system } = process.cpuUsage()
  const cpu = Math.round((user + system) / 1000)
  const limit = v8.getHeapStatistics().heap_size_limit
  process.stdout.write(`${memory.rss} ${memory.heapUsed} ${afterGC} ${limit} ${cpu - spent}\n`)
  spent = cpu
}
function live (left) {
  if (left === 0) return sample()
  ticks++
  run()
  setImmediate(live, left - 1)
}
process.stdin.on('data', (asked) => live(asked.length * TICKS))
process.stdin.on('end', () => process.exit()) // with the recorder
