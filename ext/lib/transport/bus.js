'use strict'

const STUCK = 30000

/** PM2's own bus: the channel that PM2 opened to this process. */
class Bus {
  constructor () {
    this.name = 'bus'
    this.sending = 0
    this.queued = 0
  }

  connect () {}

  get ready () {
    return process.connected === true && typeof process.send === 'function'
  }

  /** Sends a report unless the one before has not left yet. done(err) may never come. */
  report (topic, data, urgent, done) {
    const now = Date.now()
    if (!this.ready || (!urgent && this.sending !== 0 && now - this.sending < STUCK)) return false
    this.sending = now
    process.send({ type: topic, data }, (err) => {
      this.sending = 0
      done(err || null)
    })
    return true
  }

  /** Sends one record. Those that PM2 does not take are lost rather than kept in memory. */
  record (topic, data) {
    if (!this.ready || this.queued >= 100) return false
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
