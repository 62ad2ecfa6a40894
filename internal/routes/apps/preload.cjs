'use strict'

// Lets an app that listens on port 0 listen where PORT says, and an app that says require('express') get the version
// under test, EXT_TEST_ALIAS="express=express4". In cluster mode PM2 lays an app's environment over process.env only after
// preloads, so both are read when they are needed.
const Module = require('module')
const net = require('net')
const path = require('path')

const here = Module.createRequire(path.join(__dirname, '../../../ext/test/frameworks/package.json'))

const resolve = Module._resolveFilename
Module._resolveFilename = function (request) {
  const alias = (process.env.EXT_TEST_ALIAS || '').split(',').map((pair) => pair.split('=')).find(([name]) => name === request)
  return alias === undefined || alias[0] === '' ? Reflect.apply(resolve, this, arguments) : here.resolve(alias[1])
}

const listen = net.Server.prototype.listen
net.Server.prototype.listen = function (...args) {
  const port = Number(process.env.PORT)
  if (args[0] === 0) args[0] = port
  else if (args[0] !== null && typeof args[0] === 'object' && args[0].port === 0) args[0] = { ...args[0], port }
  return Reflect.apply(listen, this, args)
}
