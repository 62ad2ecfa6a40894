'use strict'

const Koa = require('koa')
const Router = require('@koa/router')

const app = new Koa()
app.silent = true
app.use(async (ctx, next) => {
  if (ctx.path.startsWith('/static/')) ctx.body = 'file'
  else await next()
})
const router = new Router()
router.get('/hello', (ctx) => { ctx.body = 'hello' })
router.get('/users/:id', (ctx) => { ctx.body = { id: ctx.params.id } })
router.post('/users', (ctx) => { ctx.status = 201 })
router.get('/fail', () => { throw new Error('boom') })
router.get('/slow', () => new Promise(() => {}))
router.get('/late', async (ctx) => {
  await new Promise((resolve) => setTimeout(resolve, 250))
  ctx.body = 'late'
})
const api = new Router()
api.get('/orders/:order/items/:item', (ctx) => { ctx.body = 'item' })
api.get('/fail', () => { throw new Error('boom') })
router.use('/api/v1', api.routes())
app.use(router.routes())
app.use(router.allowedMethods())
const server = app.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }))
