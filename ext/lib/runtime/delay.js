'use strict'

// Taken before the app can put a fake clock in its place.
const { setTimeout } = require('timers')
const { monitorEventLoopDelay, performance } = require('perf_hooks')

// ms. Each tick wakes an idle process; at 10 ms that is the largest part of what we cost. Long delays are seen all the same.
const RESOLUTION = 50
const MINUTE = 60000

/** How late the event loop is, between two reports, and the latest within a sliding minute. */
class Delay {
  constructor () {
    this.histogram = monitorEventLoopDelay({ resolution: RESOLUTION })
    this.histogram.enable()
    this.maxima = []
    this.late = 0
  }

  /** Takes note of a timer that ran so many ms late. */
  note (ms) {
    if (ms / 1000 > this.late) this.late = Math.round(ms * 1e3) / 1e6
  }

  // A histogram that was reset forgets its last tick, and with it a delay that begins before the next one.
  watchNextTick () {
    const due = performance.now() + 2 * RESOLUTION
    setTimeout(() => this.note(performance.now() - due), 2 * RESOLUTION).unref()
  }

  // The histogram holds nanoseconds between two ticks of a timer, so the timer's period is in them.
  seconds (ns) {
    const s = ns / 1e9 - RESOLUTION / 1e3
    return s > 0 && Number.isFinite(s) ? Math.round(s * 1e6) / 1e6 : 0
  }

  read (now) {
    const h = this.histogram
    const some = h.max > 0
    const stddev = Number.isFinite(h.stddev) ? Math.round(h.stddev / 1e3) / 1e6 : 0
    const values = some
      ? [this.seconds(h.min), this.seconds(h.mean), this.seconds(h.max), stddev,
        this.seconds(h.percentile(50)), this.seconds(h.percentile(90)), this.seconds(h.percentile(99))]
      : [0, 0, 0, 0, 0, 0, 0]
    values[2] = Math.max(values[2], this.late)
    this.late = 0
    h.reset()
    this.watchNextTick()
    this.maxima.push([now, values[2]])
    while (this.maxima.length > 1 && now - this.maxima[0][0] >= MINUTE) this.maxima.shift()
    let max = 0
    for (const [, value] of this.maxima) if (value > max) max = value
    return { values, max }
  }

  stop () {
    this.histogram.disable()
  }
}

module.exports = { Delay }
