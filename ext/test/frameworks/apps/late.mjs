import express from 'express'
import Koa from 'koa'
import { init } from '../../../index.mjs'

// After the frameworks, as when somebody calls it in the body of an ES module.
init({ slow: 1 })
const app = express()
const api = express.Router()
api.get('/fail', () => { throw new Error('boom') })
app.use('/api/:version', api)
const koa = new Koa()
koa.silent = true
koa.use(() => { throw new Error('boom') })
const koaHandler = koa.callback()
app.use('/koa', (req, res) => koaHandler(req, res))
app.use((err, req, res, next) => { res.status(500).end() })
const server = app.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }))
