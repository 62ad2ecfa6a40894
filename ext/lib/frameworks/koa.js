'use strict'

const { stateOf } = require('../http/state.js')
const { wrap } = require('./wrap.js')

/** Koa: its context names the route that @koa/router found, and its application emits errors. */
function koa (exports, report) {
  const Koa = typeof exports === 'function' ? exports : exports.default
  if (typeof Koa !== 'function' || typeof Koa.prototype.createContext !== 'function') return
  wrap(Koa.prototype, 'createContext', (createContext) => function (req, res) {
    const context = Reflect.apply(createContext, this, arguments)
    const state = stateOf(res)
    if (state !== undefined) state.context = context
    return context
  })
  // Not a listener: Koa prints errors only when there is none.
  wrap(Koa.prototype, 'emit', (emit) => function (event, err, context) {
    if (event === 'error' && context !== undefined && context !== null) report(err, context.res)
    return Reflect.apply(emit, this, arguments)
  })
}

module.exports = { koa }
