'use strict'

const Hapi = require('@hapi/hapi')

const server = Hapi.server({ port: 0, host: '127.0.0.1', debug: false })
const text = (value) => () => value
server.route([
  { method: 'GET', path: '/hello', handler: text('hello') },
  { method: 'GET', path: '/users/{id}', handler: (request) => ({ id: request.params.id }) },
  { method: 'POST', path: '/users', handler: (request, h) => h.response().code(201) },
  { method: 'GET', path: '/fail', handler: () => { throw new Error('boom') } },
  { method: 'GET', path: '/slow', handler: () => new Promise(() => {}) },
  { method: 'GET', path: '/late', handler: () => new Promise((resolve) => setTimeout(resolve, 250, 'late')) },
  { method: 'GET', path: '/static/{file*}', handler: text('file') }
])
server.register({
  name: 'api',
  register: (api) => api.route([
    { method: 'GET', path: '/orders/{order}/items/{item}', handler: text('item') },
    { method: 'GET', path: '/fail', handler: () => { throw new Error('boom') } }
  ])
}, { routes: { prefix: '/api/v1' } }).then(() => server.start()).then(() => process.send({ port: server.info.port }))
