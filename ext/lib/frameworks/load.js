'use strict'

const Module = require('module')

const byName = new Map([
  ['express', require('./express.js').express],
  ['finalhandler', require('./express.js').finalhandler],
  ['koa', require('./koa.js').koa],
  ['@hapi/hapi', require('./hapi.js').hapi],
  ['restify', require('./restify.js').restify],
  ['@nestjs/core', require('./nest.js').nest]
])

// `import` of a CommonJS package loads it by its file name.
const file = /[\\/]node_modules[\\/](express|koa|@hapi[\\/]hapi|restify|@nestjs[\\/]core)[\\/](?!.*[\\/]node_modules[\\/])/

function find (request) {
  const patch = byName.get(request)
  if (patch !== undefined) return patch
  const first = request.charCodeAt(0)
  if (first !== 47 && request.charCodeAt(1) !== 58) return undefined
  const match = file.exec(request)
  return match === null ? undefined : byName.get(match[1].replace('\\', '/'))
}

/**
 * Gives each framework its hook when the app loads it. A patch takes the module's exports, leaves alone what it does not
 * know, and may return other exports.
 */
function watchLoads (guard, report) {
  const load = Module._load
  const done = new WeakMap()

  function patched (patch, request, exports) {
    if (exports === null || (typeof exports !== 'object' && typeof exports !== 'function')) return exports
    if (done.has(exports)) return done.get(exports)
    // An entry before the patch runs: it may load other modules.
    done.set(exports, exports)
    const instead = guard.run(`framework ${byName.has(request) ? request : 'import'}`, patch, exports, report)
    if (instead === undefined) return exports
    done.set(exports, instead)
    return instead
  }

  Module._load = function (request) {
    const exports = Reflect.apply(load, this, arguments)
    const patch = typeof request === 'string' ? find(request) : undefined
    return patch === undefined ? exports : patched(patch, request, exports)
  }

  // What was loaded before us, when the app calls init() after its imports.
  for (const name of Object.keys(Module._cache)) {
    const module = Module._cache[name]
    const patch = find(name)
    if (patch !== undefined && module !== undefined && module.loaded) patched(patch, name, module.exports)
  }
}

module.exports = { watchLoads }
