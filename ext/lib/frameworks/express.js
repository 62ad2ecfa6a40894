'use strict'

const { stateOf } = require('../http/state.js')
const { mountTemplate } = require('../http/route.js')
const { wrap } = require('./wrap.js')

// Prefixes whose number of segments is known.
const parameter = /^[^*({?+]*:[^*({?+]*$/

/**
 * Express 4 and 5. The route itself stands in req.route; what has to be seen while it happens are the prefix of its
 * router, prefixes with parameters, and errors.
 */
function express (exports, report) {
  if (typeof exports !== 'function' || typeof exports.Route !== 'function' || typeof exports.Router !== 'function') return

  wrap(exports.Route.prototype, 'dispatch', (dispatch) => function (req, res, done) {
    const state = stateOf(res)
    if (state !== undefined) state.base = req.baseUrl
    return Reflect.apply(dispatch, this, arguments)
  })

  // Its class of layers is not exported.
  const router = exports.Router()
  router.use(function probe (req, res, next) { next() })
  const Layer = Object.getPrototypeOf(router.stack[0])
  const onError = (handle) => function (err, req, res, next) {
    report(err, res)
    return Reflect.apply(handle, this, arguments)
  }
  wrap(Layer, 'handle_error', onError)
  wrap(Layer, 'handleError', onError)

  // Express 4: functions on the router function itself. Express 5: on its prototype.
  const proto = Object.prototype.hasOwnProperty.call(exports.Router, 'use') ? exports.Router : exports.Router.prototype
  if (proto !== undefined && typeof proto.use === 'function') wrap(proto, 'use', onUse)
}

// Only layers under a prefix with parameters are touched: requests to the others pay nothing.
function onUse (use) {
  return function (path) {
    const before = Array.isArray(this.stack) ? this.stack.length : 0
    const result = Reflect.apply(use, this, arguments)
    if (typeof path === 'string' && parameter.test(path) && Array.isArray(this.stack)) {
      for (let i = before; i < this.stack.length; i++) noteMount(this.stack[i], path.replace(/\/+$/, ''))
    }
    return result
  }
}

function noteMount (layer, path) {
  const name = typeof layer.handle_request === 'function' ? 'handle_request' : 'handleRequest'
  if (typeof layer[name] !== 'function') return
  const handle = layer[name]
  layer[name] = function (req, res, next) {
    const state = stateOf(res)
    if (state !== undefined && typeof req.baseUrl === 'string') {
      const actual = req.baseUrl
      const depth = path.split('/').length - 1
      const outer = actual.split('/').slice(0, -depth).join('/')
      const template = mountTemplate(outer, state.mounts) + path
      if (state.mounts === null) state.mounts = []
      if (state.mounts.length < 16) state.mounts.push({ actual, template })
    }
    return Reflect.apply(handle, this, arguments)
  }
}

/** The end of every request that no route answered, and of errors that no error handler took. */
function finalhandler (exports, report) {
  if (typeof exports !== 'function') return undefined
  const wrapped = function (req, res, options) {
    const end = Reflect.apply(exports, this, arguments)
    return function (err) {
      if (err) {
        report(err, res)
      } else {
        const state = stateOf(res)
        if (state !== undefined) state.template = null
      }
      return end(err)
    }
  }
  return Object.assign(wrapped, exports)
}

module.exports = { express, finalhandler }
