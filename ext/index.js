'use strict'

const { instance, inertStatus } = require('./lib/start.js')
const { version } = require('./package.json')

/** Starts the extension, or changes the options of the one that a preload started. Throws on a wrong option only. */
function init (options) {
  const ext = instance(options)
  return ext !== null
}

/** Reports an error that the app dealt with. */
function notifyError (err, context) {
  const ext = instance()
  if (ext !== null) ext.notifyError(err, context)
}

/** Reports that something happened in the app. */
function event (name, data) {
  const ext = instance()
  if (ext !== null) ext.event(name, data)
}

/** Kept for users of the old PM25-Ext: requests are seen without it. */
function middleware (req, res, next) {
  next()
}

/** Tells whether the extension works in this process, and if not, why. */
function status () {
  const ext = instance()
  return ext === null ? inertStatus() : ext.status()
}

module.exports = { init, notifyError, event, middleware, status, version }
