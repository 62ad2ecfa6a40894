'use strict'

const { spawn } = require('child_process')
const path = require('path')

const ext = path.join(__dirname, '../..')
const register = path.join(ext, 'register.cjs')

/** Starts an app as PM2 does in fork mode, with this test in PM2's place. */
function start (script, { env = {}, execArgv = ['--require', register], node = process.execPath, args = [] } = {}) {
  const child = spawn(node, [...execArgv, script, ...args], {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    env: {
      PATH: process.env.PATH,
      pm_id: '3',
      PM2_HOME: '/nonexistent',
      PM25_EXT_TRANSPORT: 'bus',
      ...env
    }
  })
  const app = { child, messages: [], reports: [], exceptions: [], events: [], stderr: '', stdout: '' }
  child.stderr.setEncoding('utf8').on('data', (text) => { app.stderr += text })
  child.stdout.setEncoding('utf8').on('data', (text) => { app.stdout += text })
  child.on('message', (message) => {
    app.messages.push(message)
    if (message.type === 'pm25:report') app.reports.push(message.data)
    if (message.type === 'pm25:exception') app.exceptions.push(message.data)
    if (message.type === 'pm25:event') app.events.push(message.data)
  })
  const ended = new Promise((resolve) => child.on('close', (code, signal) => resolve({ code, signal })))
  app.port = new Promise((resolve, reject) => {
    child.on('message', (message) => { if (message.port !== undefined) resolve(message.port) })
    ended.then(({ code, signal }) => reject(new Error(`${path.basename(script)} ended before it listened (${code}, ${signal}):\n${app.stderr}`)))
  })
  app.port.catch(() => {})
  app.ended = ended
  const killAtExit = () => child.kill('SIGKILL')
  process.on('exit', killAtExit)
  ended.then(() => process.removeListener('exit', killAtExit))
  app.stop = async (signal = 'SIGTERM') => {
    const timer = setTimeout(() => child.kill('SIGKILL'), 5000)
    child.kill(signal)
    const end = await ended
    clearTimeout(timer)
    return end
  }
  return app
}

/** Lays reports over each other as the agent does: the series of the last one that has them. */
function series (reports) {
  const all = new Map()
  for (const report of reports) {
    for (const row of report.http.series) all.set(JSON.stringify(row.slice(0, 3)), row)
  }
  return all
}

/** {"GET /users/:id 2xx": 5, …} */
function counts (reports) {
  const out = {}
  for (const [method, route, code, count] of series(reports).values()) out[`${method} ${route} ${code}`] = count
  return out
}

module.exports = { start, series, counts, register, ext }
