'use strict'

// Paired comparison of what the extension and others cost: see README.md.
const fs = require('fs')
const os = require('os')
const path = require('path')
const http = require('http')
const { spawn, execFile } = require('child_process')
const { freePort, listening } = require('../test/helpers/port.js')

const register = path.join(__dirname, '../register.cjs')
const app = path.join(__dirname, 'app.js')

const given = {}
for (let i = 2; i < process.argv.length; i += 2) given[process.argv[i].replace(/^--/, '')] = process.argv[i + 1]
const pm2 = path.resolve(given.pm2 || path.join(__dirname, '../../tools/pm2/7/node_modules/pm2/bin/pm2'))
const starts = Number(given.starts || 2)
const rounds = Number(given.rounds || 15)
const seconds = Number(given.seconds || 1)
const connections = Number(given.connections || 20)

// pm2 variants run under a PM2 of their own; the others as a plain child that looks like an app of PM2.
const variants = {
  bare: { execArgv: [] },
  'pm25-ext': { execArgv: ['--require', register] },
  'prom-client': { execArgv: [], apps: ['express'] },
  opentelemetry: { execArgv: ['--require', path.join(__dirname, 'otel.cjs')] },
  'pm2 --no-pmx': { pm2: { pmx: false } },
  'pm2 + pm25-ext': { pm2: { pmx: false, node_args: `--require ${register}` } },
  'pm2 default probe': { pm2: {} },
  // Works only where `pm2 install-otel` has been run.
  'pm2 --trace': { pm2: { trace: true }, optional: true }
}
const loads = {
  bare: [{ name: 'GET /', path: '/' }],
  express: [
    { name: 'GET /users/:id', path: '/users/42' },
    { name: 'POST /users', path: '/users', method: 'POST', body: '{"name":"Jo"}', headers: { 'content-type': 'application/json' } },
    { name: 'GET /io/:id', path: '/io/7' }
  ]
}
const chosen = (given.variants || Object.keys(variants).filter((name) => !variants[name].optional).join(',')).split(',')
const apps = (given.apps || 'express,bare').split(',')
for (const name of chosen) if (variants[name] === undefined) throw new Error(`no variant "${name}"; there are ${Object.keys(variants).join(', ')}`)

const run = (args, env) => new Promise((resolve, reject) => {
  execFile(process.execPath, [pm2, ...args], { env, timeout: 30000 }, (err, out) => err ? reject(new Error(`pm2 ${args.join(' ')}: ${err.message}`)) : resolve(out))
})

async function start (name, kind, port, usagePort) {
  const variant = variants[name]
  const env = { PATH: process.env.PATH, NODE_ENV: 'production', PORT: String(port), BENCH_USAGE_PORT: String(usagePort), BENCH_APP: kind, BENCH_VARIANT: name }
  if (variant.pm2 === undefined) {
    const child = spawn(process.execPath, [...variant.execArgv, app], {
      env: { ...env, pm_id: '0', PM2_HOME: '/nonexistent', PM25_EXT_TRANSPORT: 'bus' },
      stdio: ['ignore', 'ignore', 'inherit', 'ipc']
    })
    const closed = new Promise((resolve) => child.on('close', resolve))
    return async () => { child.kill('SIGKILL'); await closed }
  }
  const home = fs.mkdtempSync(path.join(os.tmpdir(), 'pm25-bench-'))
  const own = { PATH: process.env.PATH, HOME: home, PM2_HOME: home, PM2_DISABLE_VERSION_CHECK: 'true' }
  const file = path.join(home, 'bench.json')
  fs.writeFileSync(file, JSON.stringify({ apps: [{ name: 'bench', script: app, autorestart: false, env, ...variant.pm2 }] }))
  await run(['start', file], own)
  return async () => {
    await run(['kill'], own)
    fs.rmSync(home, { recursive: true, force: true })
  }
}

function usage (port) {
  return new Promise((resolve, reject) => {
    http.get({ host: '127.0.0.1', port, agent: false }, (res) => {
      let text = ''
      res.setEncoding('utf8').on('data', (chunk) => { text += chunk }).on('end', () => resolve(JSON.parse(text)))
    }).on('error', reject)
  })
}

function load (port, what, duration) {
  const autocannon = require('autocannon')
  return autocannon({ url: `http://127.0.0.1:${port}${what.path}`, method: what.method || 'GET', body: what.body, headers: what.headers || {}, connections, duration })
}

// begin starts a variant and lets its code become hot.
async function begin (name, kind) {
  const port = await freePort()
  const usagePort = await freePort()
  const stop = await start(name, kind, port, usagePort)
  try {
    await listening(port)
    await listening(usagePort)
    for (const what of loads[kind]) await load(port, what, 2)
  } catch (err) {
    await stop()
    throw err
  }
  return { name, port, usagePort, stop }
}

async function measure ({ name, port, usagePort }, what) {
  const before = await usage(usagePort)
  const result = await load(port, what, seconds)
  const after = await usage(usagePort)
  const requests = result['2xx']
  if (requests === 0 || result.non2xx > 0) throw new Error(`${name}, ${what.name}: ${requests} answers, ${result.non2xx} failures`)
  return { rps: requests / result.duration, cpu: (after.cpu - before.cpu) / requests, rss: after.rss }
}

const median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)]

function shuffled (list) {
  const out = [...list]
  for (let i = out.length - 1; i > 0; i--) {
    const k = Math.floor(Math.random() * (i + 1))
    const swapped = out[i]
    out[i] = out[k]
    out[k] = swapped
  }
  return out
}

// between is the interval that holds the median of what the list is a sample of, in 95 of 100 cases.
function between (list) {
  const sorted = [...list].sort((a, b) => a - b)
  const off = 0.98 * Math.sqrt(sorted.length)
  return [sorted[Math.max(0, Math.floor(sorted.length / 2 - off))], sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length / 2 + off))]]
}

// turns runs all variants side by side and loads one after the other, in short turns: what else the machine does
// changes slower than that and hits all alike.
async function turns (names, kind, results) {
  const running = []
  try {
    for (const name of names) running.push(await begin(name, kind))
    for (let round = 0; round < rounds; round++) {
      for (const what of loads[kind]) {
        const one = {}
        for (const variant of shuffled(running)) one[variant.name] = await measure(variant, what)
        results[what.name].push(one)
      }
    }
  } finally {
    for (const variant of running) await variant.stop()
  }
}

async function main () {
  console.log(`node ${process.version}, ${os.cpus().length} cores, ${starts} starts of ${rounds} rounds of ${seconds} s, ${connections} connections`)
  for (const kind of apps) {
    const names = chosen.filter((name) => variants[name].apps === undefined || variants[name].apps.includes(kind))
    const results = Object.fromEntries(loads[kind].map((what) => [what.name, []]))
    for (let n = 0; n < starts; n++) {
      console.error(`${kind}: start ${n + 1} of ${starts}`)
      await turns(names, kind, results)
    }
    for (const what of loads[kind]) report(kind, what.name, names, results[what.name])
  }
}

function report (kind, what, names, results) {
  console.log(`\n${kind}: ${what}\n\n| variant | requests/s | of the base, % | CPU a request, µs | more than the base, µs | least CPU a request, µs | resident, MiB |\n|---|---|---|---|---|---|---|`)
  for (const name of names) {
    // Each turn against that of the variant which differs in one thing only.
    const base = name.startsWith('pm2 ') && names.includes('pm2 --no-pmx') ? 'pm2 --no-pmx' : 'bare'
    const of = (key) => results.map((one) => one[name][key])
    const cells = [name === base ? `**${name}**` : name, median(of('rps')).toFixed(0), '', median(of('cpu')).toFixed(1), '', Math.min(...of('cpu')).toFixed(1), (Math.max(...of('rss')) / 1048576).toFixed(0)]
    if (name !== base && names.includes(base)) {
      const shares = results.map((one) => one[name].rps / one[base].rps * 100)
      const more = results.map((one) => one[name].cpu - one[base].cpu)
      cells[2] = `${median(shares).toFixed(1)} (${between(shares).map((x) => x.toFixed(1)).join('–')})`
      cells[4] = `${median(more).toFixed(1)} (${between(more).map((x) => x.toFixed(1)).join('–')})`
    }
    console.log(`| ${cells.join(' | ')} |`)
  }
}

main().catch((err) => {
  console.error(err.message)
  process.exitCode = 1
})
