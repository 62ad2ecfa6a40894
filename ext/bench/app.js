'use strict'

// The app under load: bare http, or Express with an endpoint that reads, one that takes a body, and one that waits.
const fs = require('fs')
const http = require('http')

const kind = process.env.BENCH_APP || 'express'
const variant = process.env.BENCH_VARIANT || 'bare'

function bare () {
  return http.createServer((req, res) => {
    res.setHeader('content-type', 'application/json')
    res.end('{"ok":true}')
  })
}

function withExpress () {
  const express = require('express')
  const app = express()
  if (variant === 'prom-client') app.use(promClient())
  app.get('/users/:id', (req, res) => res.json({ id: req.params.id }))
  app.post('/users', express.json(), (req, res) => res.status(201).json(req.body))
  app.get('/io/:id', (req, res, next) => {
    fs.readFile(__filename, 'utf8', (err, text) => err ? next(err) : res.json({ length: text.length }))
  })
  return http.createServer(app)
}

function promClient () {
  const client = require('prom-client')
  client.collectDefaultMetrics()
  const histogram = new client.Histogram({
    name: 'http_request_duration_seconds',
    help: 'Duration of requests',
    labelNames: ['method', 'route', 'code'],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 0.6, 1, 2.5, 5, 10]
  })
  return (req, res, next) => {
    const end = histogram.startTimer()
    res.on('finish', () => end({ method: req.method, route: req.route ? req.baseUrl + req.route.path : 'none', code: `${Math.floor(res.statusCode / 100)}xx` }))
    next()
  }
}

const server = kind === 'bare' ? bare() : withExpress()
server.listen(Number(process.env.PORT), '127.0.0.1')
// CPU time since start, on a port of its own that no probe counts as load.
http.createServer((req, res) => {
  const { user, system } = process.cpuUsage()
  res.end(JSON.stringify({ cpu: user + system, rss: process.memoryUsage().rss }))
}).listen(Number(process.env.BENCH_USAGE_PORT), '127.0.0.1')
