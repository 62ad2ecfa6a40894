'use strict'

// Forks workers of its own, and prints every message that it does not know.
const cluster = require('cluster')
const http = require('http')

if (cluster.isMaster) {
  for (let i = 0; i < 2; i++) cluster.fork()
  cluster.on('message', (worker, message) => { console.log(`unexpected: ${JSON.stringify(message)}`) })
  process.on('SIGINT', () => {
    for (const worker of Object.values(cluster.workers)) worker.process.kill('SIGINT')
    setTimeout(() => process.exit(0), 200)
  })
} else {
  http.createServer((req, res) => res.end('ok')).listen(Number(process.env.PORT), '127.0.0.1')
}
