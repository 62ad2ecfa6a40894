'use strict'

const { PerformanceObserver, constants } = require('perf_hooks')
const v8 = require('v8')

const BOUNDS = [0.001, 0.01, 0.1, 1, 2, 5]
const KINDS = new Map([
  [constants.NODE_PERFORMANCE_GC_MAJOR, 'major'],
  [constants.NODE_PERFORMANCE_GC_MINOR, 'minor'],
  [constants.NODE_PERFORMANCE_GC_INCREMENTAL, 'incremental'],
  [constants.NODE_PERFORMANCE_GC_WEAKCB, 'weakcb']
])

/** Pauses of the garbage collector by kind, and the heap that the last major collection left. */
class GC {
  constructor (guard) {
    this.kinds = {}
    for (const kind of KINDS.values()) this.kinds[kind] = [0, 0, new Array(BOUNDS.length).fill(0)]
    this.afterGC = null
    this.observer = new PerformanceObserver((list) => guard.run('runtime', () => this.see(list.getEntries())))
    this.observer.observe({ entryTypes: ['gc'] })
  }

  // One call can bring many entries.
  see (entries) {
    for (const entry of entries) {
      const kind = KINDS.get(entry.detail === undefined || entry.detail === null ? entry.kind : entry.detail.kind)
      if (kind === undefined) continue
      const seconds = entry.duration / 1000
      const row = this.kinds[kind]
      row[0]++
      row[1] += seconds
      for (let i = 0; i < BOUNDS.length; i++) {
        if (seconds <= BOUNDS[i]) {
          row[2][i]++
          break
        }
      }
      if (kind === 'major') this.afterGC = v8.getHeapStatistics().used_heap_size
    }
  }

  stop () {
    this.observer.disconnect()
  }
}

module.exports = { GC }
