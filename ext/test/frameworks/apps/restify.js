'use strict'

const restify = require('restify')

const server = restify.createServer({ log: undefined })
const text = (code, value) => (req, res, next) => { res.send(code, value); next() }
server.get('/hello', text(200, 'hello'))
server.head('/hello', text(200))
server.get('/users/:id', text(200, 'user'))
server.post('/users', text(201, 'made'))
server.get('/fail', (req, res, next) => next(new Error('boom')))
server.get('/slow', (req, res, next) => {})
server.get('/late', (req, res, next) => { setTimeout(() => { res.send(200, 'late'); next() }, 250) })
server.get('/static/*', text(200, 'file'))
server.get('/api/v1/orders/:order/items/:item', text(200, 'item'))
server.get('/api/v1/fail', (req, res, next) => next(new Error('boom')))
server.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }))
