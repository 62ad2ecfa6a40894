'use strict'

const { cut } = require('../text.js')

const MAX_BYTES = 8 * 1024
const MAX_DEPTH = 5
const MAX_ITEMS = 100
const MAX_TEXT = 2048

const secret = /pass(word|wd|phrase)?|secret|token|api[-_]?key|access[-_]?key|private[-_]?key|auth|cookie|session|credential|signature|\b(cvv|cvc|ssn|pin)\b|card[-_]?number/i

function copy (value, depth, seen) {
  switch (typeof value) {
    case 'string': return cut(value, MAX_TEXT)
    case 'number': return Number.isFinite(value) ? value : String(value)
    case 'boolean': return value
    case 'bigint': return String(value)
    case 'object': break
    default: return undefined
  }
  if (value === null) return null
  if (seen.has(value)) return '[circular]'
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString()
  if (value instanceof Error) return cut(`${value.name}: ${value.message}`, MAX_TEXT)
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`
  if (depth >= MAX_DEPTH) return '[deeper]'
  seen.add(value)
  let out
  if (Array.isArray(value)) {
    out = value.slice(0, MAX_ITEMS).map((item) => {
      const copied = copy(item, depth + 1, seen)
      return copied === undefined ? null : copied
    })
  } else {
    out = {}
    for (const key of Object.keys(value).slice(0, MAX_ITEMS)) {
      const name = cut(key, 128)
      if (name === '__proto__') continue
      const copied = secret.test(key) ? '[redacted]' : copy(value[key], depth + 1, seen)
      if (copied !== undefined) out[name] = copied
    }
  }
  seen.delete(value)
  return out
}

/** A copy of what an app gave, without secrets and at most 8 KiB as JSON; null for what is no object. */
function scrub (value) {
  if (value === null || typeof value !== 'object') return null
  let out
  try {
    out = copy(value, 0, new Set())
    if (Array.isArray(out) || typeof out !== 'object') out = { value: out }
    // What is too large goes key by key, the last first.
    const keys = Object.keys(out)
    while (Buffer.byteLength(JSON.stringify(out)) > MAX_BYTES && keys.length > 0) {
      delete out[keys.pop()]
      out.truncated = true
    }
  } catch {
    return null
  }
  return out
}

module.exports = { scrub }
