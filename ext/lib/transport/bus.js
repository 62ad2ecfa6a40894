'use strict'

const STUCK = 30000

/** PM2's own bus: the channel that PM2 opened to this process. */
class Bus {
  constructor () {
    this.name = 'bus'
    this.sending = 0
    this.queued = 0
    this.onConnect = null
  }

  connect () {}

  get open () {
    return process.connected === true && typeof process.send === 'function'
  }

  /** Tells whether a report can leave now. */
  ready (urgent) {
    return this.open && (urgent || this.sending === 0 || Date.now() - this.sending >= STUCK)
  }

  /** Sends a report. done(err) may never come. */
  report (topic, data, urgent, done) {
    this.sending = Date.now()
    process.send({ type: topic, data }, (err) => {
      this.sending = 0
      done(err || null)
    })
  }

  /** Sends one record. Those that PM2 does not take are lost rather than kept in memory. */
  record (topic, data) {
    if (!this.open || this.queued >= 100) return false
    this.queued++
    const timer = setTimeout(() => { this.queued = 0 }, STUCK)
    timer.unref()
    process.send({ type: topic, data }, () => {
      clearTimeout(timer)
      if (this.queued > 0) this.queued--
    })
    return true
  }

  close () {}
}

module.exports = { Bus }
