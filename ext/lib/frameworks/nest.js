'use strict'

const { wrap } = require('./wrap.js')

/** Nest: routes are its platform's. Errors end in its own filter, of which the platform hears nothing. */
function nest (exports, report) {
  const Filter = exports.BaseExceptionFilter
  if (typeof Filter !== 'function') return
  wrap(Filter.prototype, 'catch', (original) => function (exception, host) {
    const response = host.getType() === 'http' ? host.getArgByIndex(1) : null
    // Fastify's reply holds Node's response.
    if (response !== null && response !== undefined) report(exception, response.raw || response)
    return Reflect.apply(original, this, arguments)
  })
}

module.exports = { nest }
