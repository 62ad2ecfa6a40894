'use strict'

// A small service of the kind that a scenario names. Each line that it prints is a
// sample: RSS, heap used, heap after the last major collection, heap size limit
// (bytes), CPU time since the sample before (ms).
//
// usage: node app.js SCENARIO SECONDS_PER_HOUR MS_PER_SAMPLE PACE
//
// An "hour" is as many seconds as the second argument says; all times below are in
// such hours, all sizes in MiB. Seconds are counted in ticks of its own, which come
// PACE times as fast as the clock's if the machine can: one that is busy makes it
// slower, not different.

const { PerformanceObserver, constants } = require('perf_hooks')
const v8 = require('v8')

const MIB = 1 << 20
const scenario = process.argv[2]
const [perHour, perSample, pace] = process.argv.slice(3).map(Number)
const TICK = 50 // ms
let ticks = 0
const hours = () => ticks * TICK / 1000 / perHour

// About 2 KiB on the heap: an object with an array and a flat string.
const text = Buffer.alloc(1024, 'pm25')
let made = 0
function record () {
  made++
  return { id: made, fields: new Array(120).fill(made), text: text.latin1Slice(0, 900 + made % 100) }
}
const RECORD = 2080 / MIB

// What a service has at all times, and requests in flight that live for some seconds, so that they become garbage of the
// old generation, which only a major collection takes away.
const base = globalThis.base = [] // global, or V8 sees that nobody uses it
let inFlight = []
const old = []
function serve (mibPerSecond) {
  for (let n = mibPerSecond / RECORD * TICK / 1000; n > 0; n--) inFlight.push(record())
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
    for (owed += max * TICK / 1000 / (tau * perHour); owed >= 1; owed--) {
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

// Buffers whose sizes change with the hours, as many bytes at any time: what the old ones leave does not fit the new ones.
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
const busy = perHour < 30 ? 12 : 6 // MiB/s of requests: more where time runs faster

const scenarios = {
  steady: () => serve(busy),
  cache_warmup: () => { serve(busy); warm() },
  cache_linear: () => { serve(busy); hold(Math.min(60, 20 * hours())) },
  lru_fill: () => { serve(busy); slowly() },
  lru_slow: () => { serve(busy); verySlowly() },
  cycle_4h: () => { serve(wave(0.5, 1, 4) * busy); hold(wave(0, 50, 4)) },
  cycle_24h: () => { serve(wave(0.3, 1.2, 24) * busy); hold(wave(0, 55, 24)) },
  batch_nightly: () => {
    const night = (hours() + 18) % 24 < 1.5 // 06:00 h after its start
    serve((night ? 1.5 : 0.7) * busy)
    hold(night ? 60 : 0)
  },
  leak_quick: () => { serve(busy); hold(16 * hours()) },
  leak_fast: () => { serve(busy); hold(5 * hours()) },
  leak_late: () => { serve(busy); hold(7 * Math.max(0, hours() - 5)) },
  leak_days: () => { serve(busy); hold(1.4 * hours()) },
  leak_slow: () => { serve(busy); hold(0.5 * hours()) },
  leak_cycle: () => { serve(wave(0.3, 1.2, 24) * busy); hold(wave(0, 30, 24) + 0.4 * hours()) },
  leak_buffer: () => { serve(busy); keepBuffers(6 * hours()) },
  leak_restarts: () => { serve(busy); hold(40 * hours()) },
  fragmentation: () => { serve(busy / 2); fragment(50) }
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
setInterval(() => {
  ticks++
  run()
  if (ticks * TICK % perSample === 0) sample()
}, TICK / pace)
process.stdin.on('end', () => process.exit()).resume() // ends with the recorder
