'use strict'

const fs = require('fs')
const os = require('os')
const path = require('path')
const { execFile } = require('child_process')
const { subscribe } = require('./amp.js')
const { register } = require('./child.js')
const { sleep } = require('./requests.js')

// PM2_MAJOR=6 tests against another one; `make pm2-all` installs them.
const cli = path.join(__dirname, '../../../tools/pm2', process.env.PM2_MAJOR || '7', 'node_modules/pm2/bin/pm2')
const available = fs.existsSync(cli)

/** A PM2 of its own, in a folder of its own, and what its bus says. */
class PM2 {
  constructor (env = {}) {
    // A socket's path is at most 108 bytes long.
    this.home = fs.mkdtempSync(path.join(os.tmpdir(), 'pm25-'))
    this.env = { PATH: process.env.PATH, HOME: this.home, PM2_HOME: this.home, PM2_DISABLE_VERSION_CHECK: 'true', ...env }
    this.messages = []
    this.socket = null
  }

  run (...args) {
    return new Promise((resolve, reject) => {
      execFile(process.execPath, [cli, ...args], { env: this.env, cwd: this.home, timeout: 30000 }, (err, stdout, stderr) => {
        if (err) reject(new Error(`pm2 ${args.join(' ')}: ${err.message}\n${stdout}${stderr}`))
        else resolve(stdout)
      })
    })
  }

  /** Starts the daemon, listens to its bus, then starts the app, so that nothing it says is missed. */
  async start (app) {
    if (this.socket === null) {
      await this.run('ping')
      this.socket = await subscribe(path.join(this.home, 'pub.sock'), (topic, payload) => {
        this.messages.push({ topic, payload })
      })
    }
    const file = path.join(this.home, `${app.name}.json`)
    const { env, ...rest } = app
    fs.writeFileSync(file, JSON.stringify({ apps: [{ node_args: `--require ${register}`, autorestart: false, env: { PM25_EXT_INTERVAL: '1', ...env }, ...rest }] }))
    await this.run('start', file)
  }

  of (topic) {
    return this.messages.filter((m) => m.topic === topic).map((m) => m.payload)
  }

  reports () {
    return this.of('pm25:report').map((m) => m.data)
  }

  exceptions () {
    return this.of('pm25:exception').map((m) => m.data)
  }

  async until (what, condition, ms = 10000) {
    const end = Date.now() + ms
    for (;;) {
      const value = await condition()
      if (value) return value
      if (Date.now() > end) throw new Error(`${what} did not happen within ${ms} ms; topics: ${[...new Set(this.messages.map((m) => m.topic))]}; log: ${this.log()}`)
      await sleep(50)
    }
  }

  log () {
    try {
      return fs.readdirSync(path.join(this.home, 'logs')).map((f) => fs.readFileSync(path.join(this.home, 'logs', f), 'utf8')).join('\n').slice(-3000)
    } catch {
      return ''
    }
  }

  async kill () {
    try {
      await this.run('kill')
    } finally {
      if (this.socket !== null) this.socket.destroy()
      fs.rmSync(this.home, { recursive: true, force: true })
    }
  }
}

/** Runs a test with a PM2 that is gone afterwards. */
async function withPM2 (fn, env) {
  const pm2 = new PM2(env)
  try {
    return await fn(pm2)
  } finally {
    await pm2.kill()
  }
}

/** Counts of each process, added: {"GET /x 2xx": n}. The last row of a series of a process holds all of it. */
function total (reports) {
  const last = new Map()
  for (const report of reports) {
    for (const row of report.http.series) last.set(JSON.stringify([report.pid, report.start, ...row.slice(0, 3)]), row)
  }
  const out = {}
  for (const [method, route, code, count] of last.values()) {
    const key = `${method} ${route} ${code}`
    out[key] = (out[key] || 0) + count
  }
  return out
}

module.exports = { PM2, withPM2, total, available }
