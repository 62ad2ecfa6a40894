import Koa from 'koa'
import Router from '@koa/router'
import express from 'express'

// Koa and Express behind one port each would be two servers; one of them is enough to see that `import` is hooked.
if (process.env.ESM_APP === 'express') {
  const app = express()
  const api = express.Router()
  api.get('/fail', () => { throw new Error('boom') })
  api.get('/slow', () => {})
  api.get('/late', (req, res) => setTimeout(() => res.send('late'), 250))
  app.use('/api/:version', api)
  const server = app.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }))
} else {
  const app = new Koa()
  app.silent = true
  const router = new Router()
  router.get('/users/:id', (ctx) => { ctx.body = 'user' })
  router.get('/fail', () => { throw new Error('boom') })
  router.get('/slow', () => new Promise(() => {}))
  router.get('/late', async (ctx) => {
    await new Promise((resolve) => setTimeout(resolve, 250))
    ctx.body = 'late'
  })
  app.use(router.routes())
  const server = app.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }))
}
