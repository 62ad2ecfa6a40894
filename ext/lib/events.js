'use strict'

const { uuidv7 } = require('./uuid.js')
const { cut } = require('./text.js')
const { scrub } = require('./exceptions/scrub.js')
const { Window } = require('./exceptions/limit.js')

const PER_MINUTE = 60
const MAX_NAME = 64

/** What an app says happened, within limits. */
class Events {
  constructor (identity, send) {
    this.identity = identity
    this.send = send
    this.window = new Window(PER_MINUTE)
    this.dropped = 0
  }

  event (name, data) {
    if (typeof name !== 'string' || name === '') return
    const now = Date.now()
    if (!this.window.take(now)) {
      this.dropped++
      return
    }
    this.send('pm25:event', {
      v: 1,
      pid: this.identity.pid,
      start: this.identity.start,
      id: uuidv7(now),
      at: now,
      name: cut(name, MAX_NAME),
      data: scrub(data)
    })
  }
}

module.exports = { Events }
