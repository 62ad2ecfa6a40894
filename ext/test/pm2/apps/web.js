'use strict'

// Does what the path says. Listens where PORT says.
const http = require('http')
const { notifyError, event } = require('../../..')

class OrderError extends Error {}

const server = http.createServer((req, res) => {
  switch (req.url.split('?')[0]) {
    case '/throw':
      res.end()
      setTimeout(() => { throw new OrderError('order failed', { cause: new TypeError('no stock', { cause: Object.assign(new Error('connection refused'), { code: 'ECONNREFUSED' }) }) }) }, 20)
      return
    case '/reject':
      res.end()
      setTimeout(() => Promise.reject('just a string'), 20)
      return
    case '/notify':
      notifyError(new Error('card declined'), { order: 7, password: 'hunter2' })
      res.end()
      return
    case '/event':
      event('order.placed', { order: 7 })
      res.end()
      return
    case '/exit':
      res.end()
      res.on('close', () => process.exit(0))
      return
    case '/missing':
      res.statusCode = 404
      res.end()
      return
    case '/broken':
      res.statusCode = 500
      res.end()
      return
    case '/late':
      setTimeout(() => res.end('late'), 250)
      return
    default:
      res.end('ok')
  }
})
server.listen(Number(process.env.PORT), '127.0.0.1')
