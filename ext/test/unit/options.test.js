'use strict'

const test = require('node:test')
const assert = require('node:assert/strict')
const { defaults, merge, mergeEnv } = require('../../lib/options.js')

test('options are laid over the defaults', () => {
  const settings = merge(defaults(), { slow: 1 })
  assert.equal(settings.slow, 1)
  assert.equal(settings.http, true)
})

test('a wrong option is named, and nothing is changed', () => {
  const settings = defaults()
  assert.throws(() => merge(settings, { slow: 1, intervall: 5 }), { name: 'TypeError', message: /no option "intervall"; options are http, .*interval/ })
  assert.throws(() => merge(settings, { slow: 1, interval: 0 }), { message: /"interval" must be a number from 1 to 60/ })
  assert.throws(() => merge(settings, { transport: 'tcp' }), { message: /"transport" must be "auto", "bus", "socket"/ })
  assert.throws(() => merge(settings, 'slow'), { message: /must be an object/ })
  assert.throws(() => merge(settings, { __proto__: null, constructor: 1 }), { message: /no option "constructor"/ })
  assert.deepEqual(settings, defaults())
})

test('variables are laid over the defaults; wrong ones are named', () => {
  const warnings = []
  const settings = mergeEnv(defaults(), { PM25_EXT_SLOW: '0.5', PM25_EXT_HTTP: 'off', PM25_EXT_TARGET: 'ja', PM25_EXT_INTERVAL: 'x' }, (text) => warnings.push(text))
  assert.equal(settings.slow, 0.5)
  assert.equal(settings.http, false)
  assert.equal(settings.target, false)
  assert.equal(settings.interval, 5)
  assert.match(warnings[0], /PM25_EXT_INTERVAL must be a number/)
  assert.match(warnings[1], /PM25_EXT_TARGET must be true or false/)
})
