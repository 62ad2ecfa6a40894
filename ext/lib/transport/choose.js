'use strict'

const fs = require('fs')
const path = require('path')
const { Bus } = require('./bus.js')
const { Socket } = require('./socket.js')

const keys = /["']?(secret_key|public_key)["']?\s*:\s*["'][^"']+["']/

/** Tells whether this host is linked to PM2 Plus, whose agent would forward what is on the bus. */
function isLinked (where) {
  const { env, home } = where
  if (env.KEYMETRICS_SECRET || env.PM2_SECRET_KEY) return true
  try {
    return keys.test(fs.readFileSync(path.join(home, 'agent.json5'), 'utf8'))
  } catch {
    return false
  }
}

function choose (setting, where) {
  const wanted = setting !== 'auto'
    ? setting
    : where.direct && typeof process.send === 'function' && !isLinked(where) ? 'bus' : 'socket'
  return wanted === 'bus' ? new Bus() : new Socket(where.home, where.pmId)
}

module.exports = { choose, isLinked }
