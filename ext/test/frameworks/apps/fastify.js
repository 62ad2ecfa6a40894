'use strict'

const fastify = require('fastify')

// FASTIFY are options as JSON, such as those of HTTP/2.
const app = fastify(JSON.parse(process.env.FASTIFY || '{}'))
app.get('/hello', async () => 'hello')
app.get('/users/:id', async (request) => ({ id: request.params.id }))
app.post('/users', async (request, reply) => { reply.code(201); return {} })
app.get('/fail', async () => { throw new Error('boom') })
app.get('/slow', () => {})
app.get('/late', (request, reply) => { setTimeout(() => reply.send('late'), 250) })
app.get('/static/*', async () => 'file')
app.register(async (api) => {
  api.get('/orders/:order/items/:item', async () => 'item')
  api.get('/fail', async () => { throw new Error('boom') })
}, { prefix: '/api/v1' })
app.listen({ port: 0, host: '127.0.0.1' }).then(() => process.send({ port: app.server.address().port }))
