'use strict'

const http = require('http')

/** Makes one request, each on a connection of its own, and resolves with its status. */
function request (port, method, path, { headers = {}, abortAfter = 0, agent = false } = {}) {
  return new Promise((resolve, reject) => {
    const req = http.request({ host: '127.0.0.1', port, method, path, headers, agent }, (res) => {
      res.resume()
      res.on('end', () => resolve(res.statusCode))
      res.on('error', () => resolve('aborted'))
    })
    req.on('error', (err) => abortAfter > 0 ? resolve('aborted') : reject(err))
    req.setTimeout(10000, () => req.destroy(new Error(`no answer to ${method} ${path}`)))
    if (abortAfter > 0) setTimeout(() => req.destroy(), abortAfter)
    req.end()
  })
}

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

/** The requests that every framework's app answers, and how they must be counted. */
async function known (port) {
  const get = (path, options) => request(port, 'GET', path, options)
  for (let i = 0; i < 3; i++) await get('/hello?token=hunter2')
  for (let i = 1; i <= 5; i++) await get(`/users/${i}`)
  await request(port, 'POST', '/users')
  await get('/api/v1/orders/7/items/9')
  await get('/api/v1/orders/8/items/10?x=1')
  await get('/nope/1')
  await get('/nope/2?token=hunter2')
  await get('/fail')
  await get('/api/v1/fail')
  await request(port, 'HEAD', '/hello')
  await get('/slow', { abortAfter: 100 })
  await get('/static/app.js')
  await get('/static/deep/style.css?v=3')
  await sleep(100)
}

/** The counts after known(), with the framework's own way of writing parameters. */
function expected ({ user = '/users/:id', item = '/api/v1/orders/:order/items/:item', created = '2xx' } = {}) {
  return {
    'GET /hello 2xx': 3,
    [`GET ${user} 2xx`]: 5,
    [`POST /users ${created}`]: 1,
    [`GET ${item} 2xx`]: 2,
    'GET (unmatched) 4xx': 2,
    'GET /fail 5xx': 1,
    'GET /api/v1/fail 5xx': 1,
    'HEAD /hello 2xx': 1,
    'GET /slow aborted': 1,
    'GET (static) 2xx': 2
  }
}

module.exports = { request, known, expected, sleep }
