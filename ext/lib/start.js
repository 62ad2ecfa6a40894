'use strict'

const { performance } = require('perf_hooks')
const { defaults, merge, mergeEnv } = require('./options.js')
const { where, appEnv } = require('./where.js')
const { Guard } = require('./guard.js')
const { Requests } = require('./http/requests.js')
const { Exceptions } = require('./exceptions/exceptions.js')
const { Events } = require('./events.js')
const { Reporter } = require('./reporter.js')

// A preload and a package of the app may be two copies. The first one works, the other one speaks to it.
const kInstance = Symbol.for('pm25-ext.instance')
let inert = null

/** The extension in one process. */
class Ext {
  constructor (settings, transport) {
    this.settings = settings
    this.transport = transport
    this.guard = new Guard()
    this.identity = { pid: process.pid, start: Math.floor(performance.timeOrigin) }
    const record = (topic, data) => this.transport.record(topic, data)
    this.requests = new Requests(settings, this.guard)
    this.exceptions = new Exceptions(settings, this.identity, record, this.requests)
    this.events = new Events(this.identity, record)
    this.runtime = null
    this.reporter = new Reporter(this)
    this.guard.onOff('http', () => this.requests.unsubscribe())
    this.guard.onOff('runtime', () => this.stopRuntime())
  }

  /** Puts the settings in force. */
  apply () {
    const { settings, guard } = this
    if (settings.http && !guard.isOff('http')) this.requests.subscribe()
    else this.requests.unsubscribe()
    if (settings.runtime && this.runtime === null) {
      guard.run('runtime', () => {
        const { Runtime } = require('./runtime/runtime.js')
        this.runtime = new Runtime(guard)
      })
    } else if (!settings.runtime) {
      this.stopRuntime()
    }
    this.reporter.start()
  }

  stopRuntime () {
    if (this.runtime !== null) this.runtime.stop()
    this.runtime = null
  }

  /** Puts the hooks into the process, once. */
  hook () {
    const { guard, settings } = this
    const report = (err, res) => guard.run('exceptions', () => this.exceptions.handled(err, res))
    guard.run('frameworks', () => {
      require('./frameworks/load.js').watchLoads(guard, report)
      require('./frameworks/fastify.js').watchFastify(guard, report)
    })
    guard.run('exceptions', () => {
      require('./exceptions/observe.js').observe(
        guard,
        (err) => this.exceptions.report('uncaught', err, null),
        (reason) => this.exceptions.report('rejection', reason, null)
      )
    })
    guard.run('exit', () => require('./exit.js').watchExit(guard, settings, () => this.reporter.flush(true)))
  }

  configure (options) {
    merge(this.settings, options)
    this.apply()
  }

  notifyError (err, context) {
    this.guard.run('exceptions', () => this.exceptions.report('notified', err, null, context))
  }

  event (name, data) {
    this.guard.run('events', () => this.events.event(name, data))
  }

  status () {
    return { active: true, reason: null, transport: this.transport.name, failures: { ...this.guard.failures } }
  }
}

function warn (text) {
  process.stderr.write(text + '\n')
}

function create (options) {
  const place = where()
  if (place.reason !== null) {
    if (place.reason.startsWith('Bun') && appEnv(process.env).pm_id !== undefined) {
      warn('pm25-ext: Bun is not supported; this app runs without it')
    }
    return place.reason
  }
  const settings = merge(mergeEnv(defaults(), place.env, warn), options)
  const { choose } = require('./transport/choose.js')
  const ext = new Ext(settings, choose(settings.transport, place))
  ext.hook()
  ext.apply()
  // Now, so that a process which ends soon has a way out for its last report.
  ext.guard.run('transport', () => ext.transport.connect())
  return ext
}

/** The extension of this process, started if need be; null where it has nothing to do. */
function instance (options) {
  const running = globalThis[kInstance]
  if (running !== undefined) {
    if (options !== undefined) running.configure(options)
    return running
  }
  // Wrong options are wrong everywhere, not only under PM2.
  merge(defaults(), options)
  if (inert !== null) return null
  let made
  try {
    made = create(options)
  } catch {
    made = 'it failed to start'
  }
  if (typeof made === 'string') {
    inert = made
    return null
  }
  Object.defineProperty(globalThis, kInstance, { value: made, configurable: true })
  return made
}

function preload () {
  instance()
}

function inertStatus () {
  return { active: false, reason: inert, transport: null, failures: {} }
}

module.exports = { Ext, instance, preload, inertStatus }
