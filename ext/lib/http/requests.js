'use strict'

const dc = require('diagnostics_channel')
const { performance } = require('perf_hooks')
const { CLASSIC, SCHEMA } = require('./buckets.js')
const { RequestState, kState } = require('./state.js')
const { Table, ABORTED, codeIndex, methodName } = require('./table.js')
const { Namer } = require('./route.js')
const { Samples } = require('./samples.js')

// Kept: a channel that nobody holds may be collected, with its subscribers.
const requestStart = dc.channel('http.server.request.start')
const streamStart = dc.channel('http2.server.stream.start')

const kPipelined = Symbol('pm25-ext.pipelined')

/** Counts and times the requests of every server in this process. */
class Requests {
  constructor (settings, guard) {
    this.settings = settings
    this.guard = guard
    this.table = new Table(settings)
    this.namer = new Namer(this.table)
    this.samples = new Samples(settings)
    this.inflight = 0
    // The first of those that are not done. A list through their states costs less than a Set.
    this.open = null
    this.on = false

    const self = this
    // Shared by all requests: nothing is made per request but its state.
    this.onClose = function () { self.close(this) }
    this.onStreamClose = function () { self.closeStream(this) }
    this.closeResponse = (res) => this.close(res)
    this.onStart = (message) => this.start(message.response, message.request, message.socket)
    this.onStream = (message) => this.startStream(message.stream, message.headers)
  }

  subscribe () {
    if (this.on) return
    this.on = true
    requestStart.subscribe(this.onStart)
    streamStart.subscribe(this.onStream)
  }

  unsubscribe () {
    if (!this.on) return
    this.on = false
    requestStart.unsubscribe(this.onStart)
    streamStart.unsubscribe(this.onStream)
  }

  // 'close' comes whether the response was finished or the client went away; 'finish' does not.
  start (res, req, socket) {
    try {
      const state = new RequestState(performance.now(), req.url)
      res[kState] = state
      res.on('close', this.onClose)
      this.enter(state, res)
      if (socket._httpMessage) this.startPipelined(res, state, socket)
    } catch {
      this.guard.fail('http')
    }
  }

  close (res) {
    try {
      const state = res[kState]
      if (state === undefined || state.done) return
      this.leave(state)
      if (state.pipelined !== null) state.pipelined.delete(res)
      this.count(res.req, state, res.statusCode, !res.writableFinished, res.req.method)
    } catch {
      this.guard.fail('http')
    }
  }

  // A response that waits for the one before it on its connection is never closed when the connection is.
  startPipelined (res, state, socket) {
    let waiting = socket[kPipelined]
    if (waiting === undefined) {
      waiting = socket[kPipelined] = new Set()
      socket.on('close', () => setImmediate(() => waiting.forEach(this.closeResponse)))
    }
    waiting.add(res)
    state.pipelined = waiting
  }

  startStream (stream, headers) {
    try {
      if (stream[kState] !== undefined) return
      const state = new RequestState(performance.now(), headers[':path'] || '/')
      state.method = headers[':method']
      stream[kState] = state
      stream.on('close', this.onStreamClose)
      this.enter(state, stream)
    } catch {
      this.guard.fail('http')
    }
  }

  closeStream (stream) {
    try {
      const state = stream[kState]
      if (state === undefined || state.done) return
      this.leave(state)
      // Node takes the answer to HEAD for finished even when there was none.
      const sent = stream.sentHeaders
      const answered = sent !== undefined && sent !== null && stream.writableFinished
      this.count(undefined, state, answered && sent[':status'] || 200, stream.aborted || !answered, state.method)
    } catch {
      this.guard.fail('http')
    }
  }

  enter (state, owner) {
    state.owner = owner
    state.after = this.open
    if (this.open !== null) this.open.before = state
    this.open = state
    this.inflight++
  }

  leave (state) {
    const { before, after } = state
    if (before === null) this.open = after
    else before.after = after
    if (after !== null) after.before = before
    state.owner = state.before = state.after = null
    state.done = true
    this.inflight--
  }

  // A server tells that it is closed before its last connection does, and the process may end in between.
  settle () {
    try {
      for (let state = this.open; state !== null;) {
        const { owner, after } = state
        if (state.method !== undefined) {
          if (owner.destroyed) this.closeStream(owner)
        } else if (owner.writableFinished || owner.req.socket.destroyed) {
          this.close(owner)
        }
        state = after
      }
    } catch {
      this.guard.fail('http')
    }
  }

  count (req, state, status, aborted, method) {
    if (!this.on) return
    const seconds = Math.max(0, (performance.now() - state.start) / 1000)
    const route = this.namer.name(req, state, status, method)
    const series = this.table.series(route, method, aborted ? ABORTED : codeIndex(status))
    this.table.observe(series, seconds)
    if (seconds >= this.settings.slow || status >= 500) {
      this.samples.take(series, status, seconds, aborted, state.url)
    }
  }

  report (full) {
    const rows = this.table.rows(full)
    return {
      le: CLASSIC,
      schema: SCHEMA,
      inflight: this.inflight,
      collapsed: this.table.collapsed,
      series: rows
    }
  }

  /** The method and the route of a request that is not done yet, for an exception. */
  describe (req, state) {
    return { m: methodName(req.method), r: this.namer.name(req, state, 500, req.method).name }
  }
}

module.exports = { Requests }
