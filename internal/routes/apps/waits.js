'use strict'

// GET /wait/250 is answered after 250 ms, and with how long that took in truth.
const http = require('http')
const { performance } = require('perf_hooks')

http.createServer((req, res) => {
  const start = performance.now()
  setTimeout(() => {
    res.setHeader('X-Took', performance.now() - start)
    res.end()
  }, Number(req.url.slice('/wait/'.length)))
}).listen(Number(process.env.PORT), '127.0.0.1')
