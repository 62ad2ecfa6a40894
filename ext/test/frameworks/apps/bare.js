'use strict'

const http = require('http')

const server = http.createServer((req, res) => {
  const path = req.url.split('?')[0]
  if (path === '/slow') return
  if (path === '/late') {
    setTimeout(() => res.end('late'), 250)
    return
  }
  if (path.startsWith('/nope')) res.statusCode = 404
  if (path.endsWith('/fail')) res.statusCode = 500
  if (req.method === 'POST') res.statusCode = 201
  res.end('body')
}).listen(0, '127.0.0.1', () => process.send({ port: server.address().port }))
