'use strict'

const test = require('node:test')
const assert = require('node:assert/strict')
const { describe, fingerprint, firstFrame } = require('../../lib/exceptions/describe.js')
const { Limit } = require('../../lib/exceptions/limit.js')
const { scrub } = require('../../lib/exceptions/scrub.js')
const { Exceptions } = require('../../lib/exceptions/exceptions.js')
const { defaults } = require('../../lib/options.js')

class PaymentError extends Error {}

function caused (message, cause) {
  const err = new Error(message)
  err.cause = cause
  return err
}

test('names, codes and causes', () => {
  const e = describe(Object.assign(new PaymentError('no'), { code: 'E_PAY', cause: caused('a', caused('b', 'text')) }))
  assert.equal(e.name, 'PaymentError')
  assert.equal(e.code, 'E_PAY')
  assert.deepEqual(e.causes.map((c) => [c.name, c.message]), [['Error', 'a'], ['Error', 'b'], ['NonError', 'text']])
})

test('causes in a circle end, and long chains are cut', () => {
  const a = new Error('a')
  a.cause = caused('b', a)
  assert.equal(describe(a).causes.length, 1)
  let chain = new Error('0')
  for (let i = 1; i < 50; i++) chain = caused(String(i), chain)
  assert.equal(describe(chain).causes.length, 5)
})

test('values that are no errors', () => {
  for (const [value, message] of [['text', 'text'], [undefined, 'undefined'], [null, 'null'], [7, '7'], [{ a: 1 }, '{ a: 1 }'], [Symbol('s'), 'Symbol(s)']]) {
    const e = describe(value)
    assert.deepEqual([e.name, e.message, e.stack, e.code], ['NonError', message, `NonError: ${message}`, null])
  }
})

test('values that defend themselves', () => {
  const hostile = new Proxy({}, { get () { throw new Error('no') } })
  assert.equal(describe(hostile).name, 'NonError')
  const err = new Error('x')
  for (const key of ['stack', 'name', 'cause', 'code']) Object.defineProperty(err, key, { get () { throw new Error('no') } })
  assert.equal(describe(err).message, 'x')
})

test('texts are cut at characters', () => {
  const err = new Error('ü'.repeat(10000))
  const e = describe(err)
  assert.ok(Buffer.byteLength(e.message) <= 4096 && Buffer.byteLength(e.message) > 4090)
  assert.ok(Buffer.byteLength(e.stack) <= 16384)
  assert.ok(!e.message.includes('\ufffd'))
})

test('the first frame is the app’s own', () => {
  const stack = 'Error: x\n    at f (/srv/app/node_modules/lib/a.js:1:1)\n    at node:internal/timers:3:4\n    at g (/srv/app/src/b.js:2:3)'
  assert.equal(firstFrame(stack), 'at g (/srv/app/src/b.js:2:3)')
  assert.equal(firstFrame('Error: x\n    at f (/srv/node_modules/a.js:1:1)'), 'at f (/srv/node_modules/a.js:1:1)')
  assert.notEqual(fingerprint(describe('a')), fingerprint(describe('b')))
})

test('10 a minute of one kind, 60 in all, and each says how many it stands for', () => {
  const limit = new Limit()
  let sent = 0
  for (let i = 0; i < 1000; i++) sent += limit.take('a', 1000) > 0 ? 1 : 0
  assert.equal(sent, 10)
  for (let k = 0; k < 100; k++) for (let i = 0; i < 5; i++) sent += limit.take(`k${k}`, 1000) > 0 ? 1 : 0
  assert.equal(sent, 60)
  assert.equal(limit.take('a', 62000), 991)
  assert.equal(limit.take('a', 62000), 1)
  for (let k = 0; k < 5000; k++) limit.take(`x${k}`, 1)
  assert.ok(limit.known.size <= 500)
})

test('counts are exact whatever is left out', () => {
  const sent = []
  const exceptions = new Exceptions(defaults(), { pid: 1, start: 2 }, (topic, data) => sent.push(data), null)
  const err = new Error('same')
  for (let i = 0; i < 500; i++) exceptions.report('uncaught', err, null)
  assert.equal(exceptions.counts.uncaught, 500)
  assert.equal(sent.length, 10)
})

test('context: secrets, circles, sizes', () => {
  const given = { user: 1, Password: 'x', nested: { apiKey: 'x', list: [{ 'set-cookie': 'x' }] }, fn () {}, big: BigInt(3), at: new Date(0), bytes: Buffer.alloc(5) }
  given.self = given
  assert.deepEqual(scrub(given), {
    user: 1, Password: '[redacted]', nested: { apiKey: '[redacted]', list: [{ 'set-cookie': '[redacted]' }] },
    big: '3', at: '1970-01-01T00:00:00.000Z', bytes: '[5 bytes]', self: '[circular]'
  })
  assert.equal(scrub('text'), null)
  assert.equal(scrub(undefined), null)
  const large = {}
  for (let i = 0; i < 200; i++) large[`k${i}`] = 'ü'.repeat(3000)
  const cut = scrub(large)
  assert.ok(Buffer.byteLength(JSON.stringify(cut)) <= 8192)
  assert.equal(cut.truncated, true)
})
