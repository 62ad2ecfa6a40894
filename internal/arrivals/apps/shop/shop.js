'use strict'

// A shop with two bugs, each behind a path. It answers before it dies of them.
const http = require('http')
const { total } = require('./lib/cart')
const { charge } = require('./lib/pay')

const server = http.createServer((req, res) => {
  res.setHeader('Connection', 'close')
  const bug = { '/cart': total, '/pay': charge }[req.url]
  res.end('ok', () => { if (bug) setTimeout(() => bug({ id: 7 }), 20) })
})
server.listen(Number(process.env.PORT), '127.0.0.1')
