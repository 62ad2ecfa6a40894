import Koa from 'koa'
import Router from '@koa/router'
import express from 'express'

// Koa and Express behind one port each would be two servers; one of them is enough to see that `import` is hooked.
if (process.env.ESM_APP === 'express') {
  const app = express()
  const api = express.Router()
  api.get('/fail', () => { throw new Error('boom') })
  app.use('/api/:version', api)
  const server = app.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }))
} else {
  const app = new Koa()
  app.silent = true
  const router = new Router()
  router.get('/users/:id', (ctx) => { ctx.body = 'user' })
  router.get('/fail', () => { throw new Error('boom') })
  app.use(router.routes())
  const server = app.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }))
}
