'use strict'

// Does what CAUSE names, once, as soon as the file GO is there, and keeps book of it in BOOK before it does.
const fs = require('fs')
const http = require('http')
const { createRequire } = require('module')
const { BOOK, CAUSE, EXT, FRAMEWORKS, GO, IO, LOGGERS } = process.env

const from = (folder, name) => createRequire(folder + '/package.json')(name)
const me = (process.env.NODE_APP_INSTANCE || '0') + '\n'
const note = () => fs.appendFileSync(BOOK, me)
const noted = () => fs.existsSync(BOOK) && fs.readFileSync(BOOK, 'utf8').includes(me)

// serve answers one request by itself, with an app of express.
function serve (prepare) {
  const express = from(FRAMEWORKS, 'express')
  const app = express()
  app.get('/orders/:id', function findOrder () {
    note()
    throw new TypeError('no such order')
  })
  prepare(app)
  const server = http.createServer(app)
  server.listen({ port: 0, host: '127.0.0.1', exclusive: true }, () => {
    http.get({ port: server.address().port, path: '/orders/7' }, (res) => res.resume())
  })
}

function failing () { return new RangeError('query failed') }

const causes = {
  throw () { note(); throw new TypeError('boom') },
  loop () { note(); throw new TypeError('boom again') },
  'throw-text' () { note(); throw 'a thrown text' },
  reject () { note(); Promise.reject(new RangeError('rejected')) },
  'reject-text' () { note(); Promise.reject('a rejected text') },
  'reject-object' () { note(); Promise.reject({ code: 7, why: 'no reason' }) },
  'reject-nothing' () { note(); Promise.reject() },
  notify () {
    note()
    const pm25 = EXT ? require(EXT) : require(IO)
    pm25.notifyError(new RangeError('declined'))
  },
  heap () {
    note()
    const all = []
    for (;;) all.push(new Array(1000).fill({ n: all.length }))
  },
  // Not again when it was started anew.
  memory () {
    if (noted()) return
    note()
    const hoard = Buffer.alloc(200 << 20, 1)
    setInterval(() => hoard.fill(2), 200)
  },
  kernel () {
    if (noted()) return
    note()
    const hoard = []
    setInterval(() => hoard.push(Buffer.alloc(32 << 20, 1)), 50)
  },
  express () { serve(() => {}) },
  'express-own' () { serve((app) => app.use((err, req, res, next) => res.status(500).end(err.name))) },
  winston () {
    const { createLogger, format, transports } = from(LOGGERS, 'winston')
    note()
    createLogger({ format: format.combine(format.errors({ stack: true }), format.json()), transports: [new transports.Console({ forceConsole: true })] }).error(failing())
  },
  pino () { note(); from(LOGGERS, 'pino')().error(failing(), 'could not save') },
  stderr () { note(); console.error(failing()) }
}

setInterval(() => {}, 1e6) // stay
const waiting = setInterval(() => {
  if (!fs.existsSync(GO)) return
  clearInterval(waiting)
  console.log('the last line before ' + CAUSE)
  setTimeout(causes[CAUSE], 100)
}, 50)
