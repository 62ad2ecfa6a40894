'use strict'

// A bare server that does what the path says.
const http = require('http')

const server = http.createServer((req, res) => {
  const path = req.url.split('?')[0]
  if (path === '/slow') return
  if (path === '/uncaught') setTimeout(() => { throw new Error('uncaught') }, 5)
  if (path === '/throw-text') setTimeout(() => { throw 'text' }, 5)
  if (path === '/rejection') setTimeout(() => Promise.reject(new Error('rejected')), 5)
  if (path === '/rejection-text') setTimeout(() => Promise.reject('text'), 5)
  if (path === '/exit') res.on('close', () => process.exit(3))
  res.end('ok')
})
process.on('message', (message) => {
  if (message === 'stop') server.close(() => process.disconnect())
  if (message === 'exit') server.close(() => process.exit(0))
})
if (process.env.HANDLER === 'uncaught') process.on('uncaughtException', () => {})
if (process.env.HANDLER === 'rejection') process.on('unhandledRejection', () => {})
if (process.env.HANDLER === 'signal') {
  process.on('SIGTERM', () => {
    http.get({ port: server.address().port, path: '/goodbye', agent: false }, (res) => {
      res.resume().on('end', () => setTimeout(() => process.exit(0), 20))
    })
  })
}
if (process.env.HANDLER === 'close' || process.env.HANDLER === 'stay') {
  let reports = 0
  const send = process.send
  process.send = function (message) {
    if (message.type === 'pm25:report') reports++
    return Reflect.apply(send, this, arguments)
  }
  process.on('SIGTERM', () => {
    process.stdout.write(`handled after ${reports} reports\n`)
    // One that stays is killed, and has told by then.
    if (process.env.HANDLER === 'close') server.close(() => process.exit(0))
    else setTimeout(() => process.kill(process.pid, 'SIGKILL'), 200)
  })
}
if (process.env.HANDLER === 'again') {
  const send = process.send
  process.send = function (message) {
    if (message.type === 'pm25:report') require('child_process').execFileSync('kill', ['-TERM', String(process.pid)])
    return Reflect.apply(send, this, arguments)
  }
}
if (process.env.HANDLER === 'count') {
  // How libraries find out whether a signal is theirs alone.
  process.on('SIGTERM', function own () {
    const others = process.listeners('SIGTERM').filter((listener) => listener !== own)
    process.stdout.write(`others: ${others.length}\n`)
    process.removeListener('SIGTERM', own)
    if (others.length === 0) process.kill(process.pid, 'SIGTERM')
  })
}
server.listen(0, '127.0.0.1', () => {
  process.send({ port: server.address().port })
  process.send({ listeners: ['uncaughtException', 'unhandledRejection'].map((name) => process.listenerCount(name)) })
})
