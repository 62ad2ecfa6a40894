'use strict'

const net = require('net')
const path = require('path')

/** Listens where the agent does, in a PM2 home, and keeps what it is told. */
function listen (home) {
  const agent = { lines: [], sockets: new Set() }
  agent.server = net.createServer((socket) => {
    agent.sockets.add(socket)
    socket.unref()
    let text = ''
    socket.setEncoding('utf8').on('data', (chunk) => {
      text += chunk
      const lines = text.split('\n')
      text = lines.pop()
      for (const line of lines) agent.lines.push(JSON.parse(line))
    })
    socket.on('error', () => {}).on('close', () => agent.sockets.delete(socket))
  })
  // A test that fails must not keep its process alive.
  agent.server.unref()
  agent.reports = () => agent.lines.filter((line) => line.topic === 'pm25:report').map((line) => line.data)
  agent.close = () => {
    for (const socket of agent.sockets) socket.destroy()
    return new Promise((resolve) => agent.server.close(resolve))
  }
  return new Promise((resolve, reject) => {
    agent.server.on('error', reject)
    agent.server.listen(path.join(home, 'pm25-ext.sock'), () => resolve(agent))
  })
}

module.exports = { listen }
