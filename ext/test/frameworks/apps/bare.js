'use strict'

const http = require('http')
const answer = require('./answer.js')

const server = http.createServer(answer).listen(0, '127.0.0.1', () => process.send({ port: server.address().port }))
