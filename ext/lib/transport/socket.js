'use strict'

const net = require('net')
const path = require('path')

const RETRY = 5000
const MAX_LINE = 1024 * 1024
const MAX_RECORDS = 100

/** A Unix stream to the agent: one JSON object a line, never an answer. */
class Socket {
  constructor (home, pmId) {
    this.name = 'socket'
    this.path = path.join(home, 'pm25-ext.sock')
    this.pmId = pmId
    this.stream = null
    this.connected = false
    this.busy = false
    this.tried = -RETRY
    this.waiting = null
    this.records = []
    /** Called when there is an agent, who may be a new one. */
    this.onConnect = null
  }

  /** Tells whether a report can leave now; if not, this is a good moment to try again. */
  ready () {
    this.connect()
    return this.connected
  }

  connect () {
    const now = Date.now()
    if (this.stream !== null || now - this.tried < RETRY) return
    this.tried = now
    const stream = net.connect({ path: this.path })
    this.stream = stream
    stream.unref()
    stream.on('connect', () => {
      this.connected = true
      if (this.onConnect !== null) this.onConnect()
      this.next()
    })
    stream.on('error', () => {})
    stream.on('data', () => {})
    stream.on('close', () => this.lost(stream))
  }

  lost (stream) {
    if (this.stream !== stream) return
    this.stream = null
    this.connected = false
    this.busy = false
    const waiting = this.waiting
    this.waiting = null
    if (waiting !== null) waiting.done(new Error('the agent is away'))
  }

  /** Sends a report, in the place of an older one that has not left yet. */
  report (topic, data, urgent, done) {
    this.connect()
    const older = this.waiting
    this.waiting = { topic, data, done }
    if (older !== null) older.done(new Error('replaced by a newer report'))
    this.next(urgent)
  }

  record (topic, data) {
    this.connect()
    if (this.records.length >= MAX_RECORDS) this.records.shift()
    this.records.push({ topic, data })
    this.next()
    return true
  }

  next (urgent) {
    if (!this.connected) return
    while (urgent || !this.busy) {
      const message = this.records.length > 0 ? this.records.shift() : this.waiting
      if (message === null) return
      if (message === this.waiting) this.waiting = null
      this.write(message)
    }
  }

  write (message) {
    const line = JSON.stringify({ topic: message.topic, data: message.data, pm_id: this.pmId }) + '\n'
    const done = message.done
    if (line.length > MAX_LINE) {
      if (done !== undefined) done(new Error('longer than the agent reads'))
      return
    }
    this.busy = true
    this.stream.write(line, (err) => {
      this.busy = false
      if (done !== undefined) done(err || null)
      if (!err) this.next()
    })
  }

  close () {
    if (this.stream !== null) this.stream.destroy()
  }
}

module.exports = { Socket }
