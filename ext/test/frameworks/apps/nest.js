'use strict'

require('reflect-metadata')
const { Controller, Get, Post, Module } = require('@nestjs/common')
const { NestFactory } = require('@nestjs/core')

// Decorators by hand: this file is run as it is.
function route (target, name, decorator) {
  decorator(target.prototype, name, Object.getOwnPropertyDescriptor(target.prototype, name))
}

class App {
  hello () { return 'hello' }
  user () { return {} }
  create () { return {} }
  fail () { throw new Error('boom') }
  slow () { return new Promise(() => {}) }
  late () { return new Promise((resolve) => setTimeout(resolve, 250, 'late')) }
  file () { return 'file' }
}
route(App, 'hello', Get('hello'))
route(App, 'user', Get('users/:id'))
route(App, 'create', Post('users'))
route(App, 'fail', Get('fail'))
route(App, 'slow', Get('slow'))
route(App, 'late', Get('late'))
route(App, 'file', Get(process.env.NEST_PLATFORM === 'fastify' ? 'static/*' : 'static/*path'))
Controller()(App)

class Api {
  item () { return 'item' }
  fail () { throw new Error('boom') }
}
route(Api, 'item', Get('orders/:order/items/:item'))
route(Api, 'fail', Get('fail'))
Controller('api/v1')(Api)

class Root {}
Module({ controllers: [App, Api] })(Root)

async function main () {
  const fastify = process.env.NEST_PLATFORM === 'fastify'
  const adapter = fastify ? new (require('@nestjs/platform-fastify').FastifyAdapter)() : undefined
  const app = await NestFactory.create(Root, adapter, { logger: false })
  await app.listen(0, '127.0.0.1')
  process.send({ port: app.getHttpServer().address().port })
}

main()
