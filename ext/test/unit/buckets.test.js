'use strict'

const test = require('node:test')
const assert = require('node:assert/strict')
const { bound, index, CLASSIC } = require('../../lib/http/buckets.js')
const { Series } = require('../../lib/http/series.js')

test('bounds are those of Prometheus’ native histograms', () => {
  // nativeHistogramBounds of schema 3, within (0.5, 1].
  const prometheus = [0.5, 0.5452538663326288, 0.5946035575013605, 0.6484197773255048, 0.7071067811865475, 0.7711054127039704, 0.8408964152537144, 0.9170040432046711]
  for (let i = 0; i < 8; i++) {
    assert.equal(bound(-8 + i), prometheus[i])
    assert.ok(Math.abs(bound(i) - 2 ** (i / 8)) <= 4 * Number.EPSILON)
  }
  for (let i = -30; i < 20; i++) assert.equal(bound(i * 8), 2 ** i)
})

test('a value lies within its bucket, at bounds and beside them', () => {
  for (let i = -200; i <= 100; i++) {
    const b = bound(i)
    assert.equal(index(b), i, `at the bound of ${i}`)
    assert.equal(index(b * (1 + 1e-12)), i + 1)
    assert.equal(index(b * (1 - 1e-12)), i)
  }
  for (let n = 0; n < 20000; n++) {
    const v = 10 ** (Math.random() * 10 - 7)
    const i = index(v)
    assert.ok(v > bound(i - 1) && v <= bound(i), `${v} in ${i}`)
  }
})

test('what is out of range stays in the first and the last bucket', () => {
  assert.equal(index(1e300), 160)
  assert.equal(index(Number.MIN_VALUE), -319)
  assert.equal(index(Infinity), 160)
})

test('a series counts in both layouts, growing either way', () => {
  const s = new Series('GET', '/', '2xx')
  const values = [0.01, 3, 0.00001, 0.2, 0.2, 11, 0, 2 ** -41]
  for (const v of values) s.observe(v)
  const [, , , count, sum, classic, zero, runs] = s.toRow()
  assert.equal(count, values.length)
  assert.ok(Math.abs(sum - values.reduce((a, b) => a + b, 0)) < 1e-6)
  assert.equal(zero, 2)
  assert.equal(classic.reduce((a, b) => a + b, 0), count - 1, '11 s is above the last bound')
  assert.equal(classic[CLASSIC.indexOf(0.2)], 2, 'bounds are upper and inclusive')
  assert.equal(runs.reduce((a, r) => a + r.slice(1).reduce((x, y) => x + y, 0), 0), count - zero)
  assert.deepEqual(runs.map((r) => r[0]), [...runs.map((r) => r[0])].sort((a, b) => a - b))
})
