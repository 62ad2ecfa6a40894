'use strict'

const { stateOf } = require('../http/state.js')

/** hapi: each server gets an extension point that tells the route, and an event that tells errors. */
function hapi (exports, report) {
  if (typeof exports.server !== 'function') return
  const hook = (server) => {
    server.ext('onPreAuth', (request, h) => {
      const state = stateOf(request.raw.res)
      if (state !== undefined) state.template = request.route.method === '_special' ? null : request.route.path
      return h.continue
    })
    server.events.on({ name: 'request', channels: 'error' }, (request, event) => {
      report(event.error, request.raw.res)
    })
    return server
  }
  const create = exports.server
  const wrapped = function (options) { return hook(create(options)) }
  for (const name of ['server', 'Server']) {
    // Both are called with and without `new`, and neither is subclassed.
    if (exports[name] === create) exports[name] = wrapped
  }
  Object.assign(wrapped, create)
}

module.exports = { hapi }
