'use strict'

const dc = require('diagnostics_channel')
const { stateOf } = require('../http/state.js')

const initialization = dc.channel('fastify.initialization')

// The public getter builds an object of a dozen fields for each request; the same text stands behind this symbol.
function contextSymbol (request) {
  for (const symbol of Object.getOwnPropertySymbols(request)) {
    const value = request[symbol]
    if (symbol.description === 'fastify.context' && value !== null && typeof value === 'object' && value.config !== undefined) return symbol
  }
  return null
}

/** Fastify 4 and 5: a hook on each server tells the template of a request as soon as it is routed. */
function watchFastify (guard, report) {
  let symbol
  const onRequest = (request, reply, done) => {
    try {
      const state = stateOf(reply.raw)
      if (state !== undefined) {
        if (symbol === undefined) symbol = contextSymbol(request)
        const context = symbol === null ? undefined : request[symbol]
        const url = request.is404 ? undefined : context !== undefined ? context.config.url : request.routeOptions.url
        state.template = typeof url === 'string' ? url : null
      }
    } catch {
      guard.fail('framework fastify')
    }
    done()
  }
  const onError = (request, reply, error, done) => {
    report(error, reply.raw)
    done()
  }
  initialization.subscribe((message) => {
    guard.run('framework fastify', () => {
      message.fastify.addHook('onRequest', onRequest)
      message.fastify.addHook('onError', onError)
    })
  })
}

module.exports = { watchFastify }
