'use strict'

const { inspect } = require('util')
const { cut } = require('../text.js')

const STACK = 16 * 1024
const MESSAGE = 4 * 1024
const NAME = 256
const CAUSES = 5

function read (object, key) {
  try {
    return object[key]
  } catch {
    return undefined
  }
}

function isErrorLike (value) {
  return value !== null && typeof value === 'object' && typeof read(value, 'message') === 'string'
}

function nameOf (err) {
  const name = read(err, 'name')
  if (typeof name === 'string' && name !== '' && name !== 'Error') return cut(name, NAME)
  // class PaymentError extends Error {} leaves `name` as it is.
  const made = read(err, 'constructor')
  const from = typeof made === 'function' ? read(made, 'name') : undefined
  return typeof from === 'string' && from !== '' && from !== 'Object' ? cut(from, NAME) : 'Error'
}

/** name, message and stack of whatever was thrown. */
function one (value) {
  if (isErrorLike(value)) {
    const name = nameOf(value)
    const message = cut(value.message, MESSAGE)
    const stack = read(value, 'stack')
    return { name, message, stack: typeof stack === 'string' ? cut(stack, STACK) : `${name}: ${message}` }
  }
  let message
  try {
    message = typeof value === 'string' ? value : inspect(value, { depth: 2, maxArrayLength: 20, maxStringLength: 1024, breakLength: Infinity, customInspect: false })
  } catch {
    message = typeof value
  }
  message = cut(message, MESSAGE)
  return { name: 'NonError', message, stack: `NonError: ${message}` }
}

function codeOf (err) {
  if (err === null || typeof err !== 'object') return null
  const code = read(err, 'code')
  if (typeof code === 'string') return cut(code, NAME)
  return typeof code === 'number' ? String(code) : null
}

// What an error wraps: its cause, then the members of an AggregateError.
function inner (err) {
  if (err === null || typeof err !== 'object') return []
  const list = []
  const cause = read(err, 'cause')
  if (cause !== undefined && cause !== null) list.push(cause)
  const errors = read(err, 'errors')
  if (Array.isArray(errors)) list.push(...errors.slice(0, CAUSES))
  return list
}

function causesOf (err) {
  const causes = []
  const seen = new Set([err])
  const open = inner(err)
  while (open.length > 0 && causes.length < CAUSES) {
    const next = open.shift()
    if (seen.has(next)) continue
    seen.add(next)
    causes.push(one(next))
    open.unshift(...inner(next))
  }
  return causes
}

const foreign = /node_modules|\(?(node:|internal\/)|<anonymous>\)?$|[\\/]pm2[\\/]lib[\\/]/

/** The first line of a stack that is the app's own. */
function firstFrame (stack) {
  let first = ''
  for (const line of stack.split('\n', 50)) {
    if (!/^\s+at /.test(line)) continue
    if (first === '') first = line.trim()
    if (!foreign.test(line)) return line.trim()
  }
  return first
}

function describe (err) {
  const { name, message, stack } = one(err)
  return { name, message, code: codeOf(err), stack, causes: causesOf(err) }
}

/** What tells one kind of exception from another. */
function fingerprint (described) {
  const where = firstFrame(described.stack)
  return `${described.name}|${where === '' ? described.message.slice(0, 100) : where}|${described.code}`
}

module.exports = { describe, fingerprint, firstFrame }
