'use strict'

// What one request and one report cost inside pm25-ext, without a server: node bench/hot.js
const { EventEmitter } = require('events')
const { performance } = require('perf_hooks')
const { Ext } = require('../lib/start.js')
const { defaults } = require('../lib/options.js')

const transport = { name: 'none', ready: () => true, report (topic, data) { this.last = data }, record () {} }
const ext = new Ext({ ...defaults(), runtime: false }, transport)
ext.requests.on = true

class Response extends EventEmitter {
  constructor (req) {
    super()
    this.req = req
    this.statusCode = 200
    this.writableFinished = true
  }
}
const socket = {}

function measure (name, n, makeRequest) {
  const responses = []
  for (let i = 0; i < n; i++) responses.push(new Response(makeRequest(i)))
  const start = performance.now()
  for (let i = 0; i < n; i++) {
    ext.requests.start(responses[i], responses[i].req, socket)
    responses[i].emit('close')
  }
  console.log(`${name}: ${((performance.now() - start) * 1000 / n).toFixed(2)} us a request`)
}

const routes = Array.from({ length: 50 }, (_, i) => ({ path: `/items/:id/part${i}` }))
for (let round = 0; round < 2; round++) {
  measure('bare, one path', 200000, () => ({ method: 'GET', url: '/hello' }))
  measure('bare, distinct paths', 200000, (i) => ({ method: 'GET', url: `/users/${i}?q=${i}` }))
  measure('express, 50 routes', 200000, (i) => ({ method: 'GET', url: `/items/${i}`, route: routes[i % 50], baseUrl: '/api' }))
}

const random = () => 10 ** (Math.random() * 3 - 4)
for (let i = 0; i < 100; i++) {
  const route = ext.requests.table.named(`/reports/${i}`)
  const series = ext.requests.table.series(route, 'GET', 1)
  for (let k = 0; k < 500; k++) ext.requests.table.observe(series, random())
}
const times = []
for (let round = 0; round < 200; round++) {
  for (const series of ext.requests.table.all) ext.requests.table.observe(series, random())
  const start = performance.now()
  ext.reporter.flush(true)
  JSON.stringify({ type: 'pm25:report', data: transport.last })
  times.push(performance.now() - start)
}
times.sort((a, b) => a - b)
const size = JSON.stringify(transport.last).length
console.log(`a whole report of ${ext.requests.table.all.length} series, ${size} bytes as JSON: median ${times[100].toFixed(3)} ms, p99 ${times[198].toFixed(3)} ms`)
process.exit()
