'use strict'

// Answers after some milliseconds, and ends as its environment says: with GRACEFUL when all that began is answered,
// otherwise at once.
const http = require('http')

const server = http.createServer((req, res) => {
  res.setHeader('Connection', 'close')
  switch (req.url) {
    case '/throw':
      res.end()
      setTimeout(() => { throw new Error('boom') }, 20)
      return
    case '/drip': // the client knows that its request has arrived, and never gets all
      res.write('.')
      return
    case '/fail':
      res.statusCode = 500
      break
    case '/missing':
      res.statusCode = 404
  }
  setTimeout(() => res.end('ok'), Math.random() * 10)
})
server.listen(Number(process.env.PORT), '127.0.0.1')

if (process.env.GRACEFUL) process.on('SIGINT', () => server.close(() => process.exit(0)))
