'use strict'

const fs = require('fs')
const os = require('os')
const path = require('path')

const container = /[\\/]pm2[\\/]lib[\\/]ProcessContainer(Fork)?(Bun)?\.js$/
const pm2Itself = /[\\/]pm2[\\/](lib[\\/](Daemon|Satan|God)\.js|bin[\\/])|[\\/](pm2-io-agent|@pm2[\\/]agent)[\\/]|(^|[\\/])pm2(-dev|-docker|-runtime)?$/
// What starts the app in a child process of its own; the child reports. By the name of a command, or of its package.
const command = /(^|[\\/])(npm|npx|pnpm|pnpx|yarn|yarnpkg|corepack|tsx|nodemon|cross-env|cross-env-shell|dotenv|concurrently)$/
const commandFile = /[\\/]node_modules[\\/](npm|pnpm|yarn|corepack|tsx|nodemon|cross-env|dotenv-cli|concurrently)[\\/]|[\\/](npm|yarn|pnpm)[\\/]bin[\\/](npm-cli|npx-cli|yarn|pnpm|pnpx)\.[cm]?js$|[\\/]yarn-[\d.]+\.c?js$/

/** The environment that PM2 gave the app. In cluster mode a preload runs before PM2 has laid it over process.env. */
function appEnv (env) {
  if (typeof env.pm2_env !== 'string') return env
  try {
    const given = JSON.parse(env.pm2_env)
    return given !== null && typeof given === 'object' ? { ...env, ...given } : env
  } catch {
    return env
  }
}

function isMainThread () {
  try {
    return require('worker_threads').isMainThread
  } catch {
    return true
  }
}

function realpath (file) {
  try {
    return fs.realpathSync(file)
  } catch {
    return file
  }
}

function read (file) {
  try {
    return fs.readFileSync(file, 'utf8').trim()
  } catch {
    return null
  }
}

// PM2's own child: process.send goes to PM2. Below it, process.send goes to whatever started this process.
function isChildOfPM2 (argv1, env, home, ppid) {
  if (read(path.join(home, 'pm2.pid')) === String(ppid)) return true
  if (!container.test(argv1)) return false
  // Workers of an app's own cluster run what their primary was started with: PM2's script, too.
  if (env.NODE_UNIQUE_ID !== undefined && env.pm2_env === undefined) return false
  const parent = read(`/proc/${ppid}/cmdline`)
  return parent === null || /^PM2 v|[\\/]pm2(-runtime|-docker|-dev)?(\0|$)|[\\/]pm2[\\/](bin|lib)[\\/]/.test(parent)
}

/**
 * Tells whether this process is an app under PM2, and how it can reach the agent.
 * Returns {reason} when there is nothing to do here.
 */
function where (proc = process) {
  if (proc.versions.bun !== undefined) return { reason: 'Bun is not supported' }
  if (!isMainThread()) return { reason: 'not the main thread' }
  const env = appEnv(proc.env)
  if (env.PM25_EXT === 'off' || env.PM25_EXT === 'false' || env.PM25_EXT === '0') {
    return { reason: 'turned off by PM25_EXT' }
  }
  const pmId = Number(env.pm_id)
  if (env.pm_id === undefined || env.pm_id === '' || !Number.isInteger(pmId)) return { reason: 'not under PM2' }

  const argv1 = proc.argv[1] || ''
  const script = container.test(argv1) ? String(env.pm_exec_path || '') : argv1
  if (pm2Itself.test(argv1) && !container.test(argv1)) return { reason: 'PM2 itself' }
  for (const name of [script, realpath(script)]) {
    if (pm2Itself.test(name)) return { reason: 'PM2 itself' }
    if (command.test(name) || commandFile.test(name)) return { reason: 'a program that starts the app' }
  }

  const home = typeof env.PM2_HOME === 'string' && env.PM2_HOME !== '' ? env.PM2_HOME : path.join(os.homedir(), '.pm2')
  return { reason: null, env, pmId, home, direct: isChildOfPM2(argv1, env, home, proc.ppid) }
}

module.exports = { where, appEnv }
