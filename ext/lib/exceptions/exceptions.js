'use strict'

const { uuidv7 } = require('../uuid.js')
const { stateOf } = require('../http/state.js')
const { describe, fingerprint } = require('./describe.js')
const { Limit } = require('./limit.js')
const { scrub } = require('./scrub.js')

// What came of a client's mistake is no fault of the app.
function isClientError (err) {
  if (err === null || typeof err !== 'object') return false
  let status = err.status || err.statusCode
  if (status === undefined && err.isBoom === true && err.output) status = err.output.statusCode
  if (status === undefined && typeof err.getStatus === 'function') status = err.getStatus()
  return typeof status === 'number' && status >= 400 && status < 500
}

/** Counts exceptions exactly and sends them within limits. */
class Exceptions {
  constructor (settings, identity, send, requests) {
    this.settings = settings
    this.identity = identity
    this.send = send
    this.requests = requests
    this.limit = new Limit()
    this.counts = { uncaught: 0, rejection: 0, handled: 0, notified: 0 }
  }

  report (kind, err, route, context) {
    if (!this.settings.exceptions) return
    this.counts[kind]++
    const described = describe(err)
    const now = Date.now()
    const handled = kind === 'handled' || kind === 'notified'
    const occurrences = this.limit.take(`${handled}|${fingerprint(described)}`, now)
    if (occurrences === 0) return
    this.send('pm25:exception', {
      v: 1,
      pid: this.identity.pid,
      start: this.identity.start,
      id: uuidv7(now),
      at: now,
      kind,
      handled,
      occurrences,
      name: described.name,
      message: described.message,
      code: described.code,
      stack: described.stack,
      causes: described.causes,
      route,
      context: context === undefined ? null : scrub(context)
    })
  }

  /** An error that a framework made into a response. Error handlers pass it on to each other; it counts once. */
  handled (err, res) {
    if (err === undefined || err === null || err === 'route' || err === 'router' || isClientError(err)) return
    const state = stateOf(res)
    if (state === undefined) return
    if (state.error === err) return
    state.error = err
    const req = res.req
    const route = req === undefined || this.requests === null ? null : this.requests.describe(req, state)
    this.report('handled', err, route)
  }
}

module.exports = { Exceptions }
