'use strict'

const { performance } = require('perf_hooks')
const v8 = require('v8')
const { GC } = require('./gc.js')
const { Delay } = require('./delay.js')

const round = (seconds) => Math.round(seconds * 1e6) / 1e6

function count (list) {
  return typeof process[list] === 'function' ? process[list]().length : 0
}

/** The vital signs of the process. */
class Runtime {
  constructor (guard) {
    this.gc = new GC(guard)
    this.delay = new Delay()
  }

  report () {
    const heap = v8.getHeapStatistics()
    const memory = process.memoryUsage()
    const loop = performance.eventLoopUtilization()
    const delay = this.delay.read(performance.now())
    const gc = {}
    for (const kind of Object.keys(this.gc.kinds)) {
      const [n, sum, buckets] = this.gc.kinds[kind]
      gc[kind] = [n, round(sum), buckets]
    }
    return {
      heap: [heap.used_heap_size, heap.total_heap_size, heap.heap_size_limit, memory.external, memory.arrayBuffers],
      afterGC: this.gc.afterGC,
      gc,
      loop: [round(loop.active / 1000), round(loop.idle / 1000)],
      delay: delay.values,
      delayMax: delay.max,
      handles: count('_getActiveHandles'),
      requests: count('_getActiveRequests')
    }
  }

  stop () {
    this.gc.stop()
    this.delay.stop()
  }
}

module.exports = { Runtime }
