'use strict'

const { randomUUID } = require('crypto')

/** A UUIDv7: the time in ms, then random bits. */
function uuidv7 (now = Date.now()) {
  const time = now.toString(16).padStart(12, '0')
  // A v4 has 122 random bits in the right places but for its first 48, which are time here, and the version.
  const random = randomUUID()
  return `${time.slice(0, 8)}-${time.slice(8, 12)}-7${random.slice(15)}`
}

module.exports = { uuidv7 }
