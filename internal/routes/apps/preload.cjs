'use strict'

// Lets an app that listens on port 0 listen where PORT says, an app that says require('express') get the version under
// test, EXT_TEST_ALIAS="express=express4", and one that makes a server of http serve what PROTOCOL says. In cluster mode PM2
// lays an app's environment over process.env only after preloads, so all are read when they are needed.
const http = require('http')
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

// With h2, clients that ask for HTTP/1.1 get that from the same server.
const createServer = http.createServer
http.createServer = function (...args) {
  const tls = JSON.parse(process.env.TLS || '{}')
  const handler = args[args.length - 1]
  switch (process.env.PROTOCOL) {
    case 'https': return require('https').createServer(tls, handler)
    case 'h2c': return require('http2').createServer(handler)
    case 'h2': return require('http2').createSecureServer({ ...tls, allowHTTP1: true }, handler)
  }
  return Reflect.apply(createServer, this, args)
}
