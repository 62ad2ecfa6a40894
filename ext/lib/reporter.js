'use strict'

// Taken before the app can put a fake clock in their place.
const { setInterval, clearInterval } = require('timers')
const { performance } = require('perf_hooks')
const { version } = require('../package.json')

const WHOLE_EVERY = 60000

/** Makes the reports and hands them to the transport: what changed, and once a minute everything. */
class Reporter {
  constructor (ext) {
    this.ext = ext
    this.seq = 0
    this.wholeAt = -Infinity
    this.whole = true
    this.timer = null
    this.sent = (err) => {
      // Counts are since start, so what was lost is in the next whole report.
      if (err !== null) this.whole = true
    }
  }

  start () {
    this.ext.transport.onConnect = () => { this.whole = true }
    clearInterval(this.timer)
    const period = this.ext.settings.interval * 1000
    let last = performance.now()
    this.timer = setInterval(() => {
      const now = performance.now()
      if (this.ext.runtime !== null) this.ext.runtime.delay.note(now - last - period)
      last = now
      this.flush(false)
    }, period)
    this.timer.unref()
  }

  /** Sends a report now. A last one is whole and does not wait for the one before. */
  flush (last) {
    const { ext } = this
    ext.guard.run('report', () => {
      if (!ext.transport.ready(last)) return
      const now = performance.now()
      if (last) ext.requests.settle()
      const full = last || this.whole || now - this.wholeAt >= WHOLE_EVERY
      const report = this.build(full)
      if (full) {
        this.wholeAt = now
        this.whole = false
      }
      ext.transport.report('pm25:report', report, last, this.sent)
    })
  }

  build (full) {
    const { identity, guard, settings, requests, exceptions, events } = this.ext
    const slow = requests.samples.drain()
    const report = {
      v: 1,
      pid: identity.pid,
      start: identity.start,
      seq: ++this.seq,
      full,
      ext: version,
      node: process.versions.node,
      http: requests.report(full),
      slow,
      slowDropped: requests.samples.dropped,
      runtime: null,
      exceptions: exceptions.counts,
      eventsDropped: events.dropped
    }
    if (settings.runtime && this.ext.runtime !== null) {
      const runtime = guard.run('runtime', () => this.ext.runtime.report())
      if (runtime !== undefined) report.runtime = runtime
    }
    if (Object.keys(guard.failures).length > 0) report.failures = guard.failures
    return report
  }
}

module.exports = { Reporter }
