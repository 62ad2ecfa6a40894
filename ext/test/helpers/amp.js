'use strict'

const net = require('net')

/**
 * Reads PM2's pub.sock. It never writes: a malformed message makes PM2 restart every app.
 * A frame: one byte (version and number of arguments), then each argument with its length before it.
 */
function subscribe (path, onMessage) {
  const socket = net.connect({ path })
  let data = Buffer.alloc(0)
  socket.on('error', () => {})
  socket.on('data', (chunk) => {
    data = Buffer.concat([data, chunk])
    for (;;) {
      const frame = take(data)
      if (frame === null) return
      data = data.subarray(frame.size)
      const [topic, payload] = frame.args
      if (topic !== undefined && payload !== undefined && payload.startsWith('j:')) onMessage(topic.slice(2), JSON.parse(payload.slice(2)))
    }
  })
  return new Promise((resolve, reject) => {
    socket.once('connect', () => resolve(socket))
    socket.once('error', reject)
  })
}

function take (data) {
  if (data.length === 0) return null
  const args = []
  let at = 1
  for (let i = 0; i < (data[0] & 15); i++) {
    if (data.length < at + 4) return null
    const length = data.readUInt32BE(at)
    at += 4
    if (data.length < at + length) return null
    args.push(data.toString('utf8', at, at + length))
    at += length
  }
  return { size: at, args }
}

module.exports = { subscribe }
