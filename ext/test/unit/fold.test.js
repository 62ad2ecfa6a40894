'use strict'

const test = require('node:test')
const assert = require('node:assert/strict')
const { fold, pathOf, isStatic } = require('../../lib/http/fold.js')

const cases = {
  '/': '/',
  '': '/',
  '//': '/',
  '/users': '/users',
  '/users/': '/users',
  '/users/42': '/users/:id',
  '/users/-42': '/users/:id',
  '/api/v1/orders/2024-01-31': '/api/v1/orders/:id',
  '/api/v2/oauth2/s3': '/api/v2/oauth2/s3',
  '/o/3f2504e0-4f89-11d3-9a0c-0305e82c3301/x': '/o/:id/x',
  '/o/3F2504E04F8911D39A0C0305E82C3301': '/o/:id',
  '/git/9fceb02': '/git/9fceb02',
  '/git/9fceb02d0ae5': '/git/:id',
  '/facade/decade': '/facade/decade',
  '/u/01ARZ3NDEKTSV4RRFFQ69G5FAV': '/u/:id',
  '/order-12345/lines': '/order-:id/lines',
  '/report_7.html': '/report_:id.html',
  '/mail/jo@example.com': '/mail/:id',
  '/search/%E4%BD%A0': '/search/:id',
  '/a-rather-long-but-harmless-title': '/a-rather-long-but-harmless-title',
  '/a/b/c/d/e/f/g/h/i/j/k': '/a/b/c/d/e/f/g/h/*'
}

for (const [path, want] of Object.entries(cases)) {
  test(`fold ${path}`, () => assert.equal(fold(path), want))
}

test('a path without query, host and fragment', () => {
  assert.equal(pathOf('/a?b=c'), '/a')
  assert.equal(pathOf('/a#b'), '/a')
  assert.equal(pathOf('http://evil.example/a/b?c'), '/a/b')
  assert.equal(pathOf('http://evil.example'), '/')
  assert.equal(pathOf('*'), '*')
  assert.equal(pathOf('example.com:443'), 'example.com:443')
})

test('what is an asset', () => {
  for (const path of ['/a.js', '/x/y.CSS', '/favicon.ico', '/_next/static/chunks/1', '/_next/image', '/_nuxt/entry']) assert.ok(isStatic(path), path)
  for (const path of ['/a', '/a.json', '/js', '/report.pdf', '/users/jo.smith', '/_nextish']) assert.ok(!isStatic(path), path)
})

test('a hostile path is folded quickly', () => {
  const start = process.hrtime.bigint()
  fold('/' + 'a-1_'.repeat(20000))
  fold('/'.repeat(80000))
  fold('/' + 'a1'.repeat(40000))
  assert.ok(process.hrtime.bigint() - start < BigInt(1e8))
})
