'use strict'

const test = require('node:test')
const assert = require('node:assert/strict')
const { Table, CODES } = require('../../lib/http/table.js')
const { Namer } = require('../../lib/http/route.js')
const { RequestState } = require('../../lib/http/state.js')
const { defaults } = require('../../lib/options.js')

function fill (table, n, name) {
  const namer = new Namer(table)
  for (let i = 0; i < n; i++) {
    const route = namer.name({}, new RequestState(0, name(i)), 200, 'GET')
    table.observe(table.series(route, 'GET', 1), 0.01)
  }
}

test('10 000 distinct URLs stay within the limits, and none is lost', () => {
  const table = new Table(defaults())
  const word = (i) => i.toString(26).replace(/\d/g, (d) => 'qrstuvwxyz'[d])
  fill(table, 10000, (i) => `/x/${word(i)}`)
  assert.equal(table.routes.size, 50, 'paths get half of the room')
  assert.ok(table.all.length <= 51)
  assert.equal(table.rows(true).reduce((sum, row) => sum + row[3], 0), 10000)
  // Each is counted once, but for collisions.
  assert.ok(table.collapsed > 9600 && table.collapsed <= 9950, String(table.collapsed))
  const before = table.collapsed
  fill(table, 10000, (i) => `/x/${word(i)}`)
  assert.equal(table.collapsed, before)
  // The app's own routes still have theirs.
  assert.equal(table.named('/orders/:id').name, '/orders/:id')
})

test('templates beyond the limit are (other)', () => {
  const table = new Table({ ...defaults(), maxRoutes: 2 })
  assert.equal(table.named('/a').name, '/a')
  assert.equal(table.named('/b').name, '/b')
  assert.equal(table.named('/c').name, '(other)')
  assert.equal(table.named('/c').name, '(other)')
  assert.equal(table.collapsed, 1)
})

test('series beyond the limit are (other), and a route counts as collapsed once', () => {
  const table = new Table({ ...defaults(), maxSeries: 2 })
  const a = table.named('/a')
  for (let code = 0; code < CODES.length; code++) table.observe(table.series(a, 'GET', code), 0.1)
  assert.equal(table.collapsed, 1)
  const rows = table.rows(true)
  assert.equal(rows.filter((row) => row[1] === '/a').length, 2)
  assert.equal(rows.filter((row) => row[1] === '(other)').length, 4)
})

test('methods outside the usual set are (other)', () => {
  const table = new Table(defaults())
  for (const method of ['PROPFIND', 'M-SEARCH', 'get', 'constructor', '__proto__', undefined]) {
    assert.equal(table.series(table.named('/a'), method, 1).row[0], '(other)')
  }
})

test('names with quotes, newlines and emoji stay what they are, and long ones are cut', () => {
  const table = new Table(defaults())
  const odd = '/a"b\n\\c/\u{1F600}'
  assert.equal(JSON.parse(JSON.stringify(table.series(table.named(odd), 'GET', 1).row))[1], odd)
  const long = table.named('/' + '\u{1F600}'.repeat(500))
  assert.ok(Buffer.byteLength(long.name) <= 128)
  assert.ok(!long.name.includes('\ufffd'))
  assert.equal(table.named('/' + '\u{1F600}'.repeat(600)), long)
})

test('rows holds what changed, or everything', () => {
  const table = new Table(defaults())
  const a = table.series(table.named('/a'), 'GET', 1)
  const b = table.series(table.named('/b'), 'GET', 1)
  table.observe(a, 0.1)
  table.observe(b, 0.1)
  assert.equal(table.rows(false).length, 2)
  assert.equal(table.rows(false).length, 0)
  table.observe(b, 0.1)
  assert.deepEqual(table.rows(false).map((row) => [row[1], row[3]]), [['/b', 2]])
  assert.equal(table.rows(true).length, 2)
})
