'use strict'

const bool = { check: (v) => typeof v === 'boolean', want: 'true or false' }
const number = (min, max) => ({
  check: (v) => typeof v === 'number' && v >= min && v <= max,
  want: `a number from ${min} to ${max}`
})
const integer = (min, max) => ({
  check: (v) => Number.isInteger(v) && v >= min && v <= max,
  want: `a whole number from ${min} to ${max}`
})
const oneOf = (...values) => ({ check: (v) => values.includes(v), want: values.map((v) => `"${v}"`).join(', ') })

const table = {
  http: { value: true, env: 'PM25_EXT_HTTP', ...bool },
  runtime: { value: true, env: 'PM25_EXT_RUNTIME', ...bool },
  exceptions: { value: true, env: 'PM25_EXT_EXCEPTIONS', ...bool },
  interval: { value: 5, env: 'PM25_EXT_INTERVAL', ...number(1, 60) },
  maxRoutes: { value: 100, env: 'PM25_EXT_MAX_ROUTES', ...integer(1, 1000) },
  maxSeries: { value: 200, env: 'PM25_EXT_MAX_SERIES', ...integer(1, 1500) },
  slow: { value: 0.2, env: 'PM25_EXT_SLOW', ...number(0, 3600) },
  target: { value: false, env: 'PM25_EXT_TARGET', ...bool },
  signals: { value: true, env: 'PM25_EXT_SIGNALS', ...bool },
  transport: { value: 'auto', env: 'PM25_EXT_TRANSPORT', ...oneOf('auto', 'bus', 'socket') }
}

function defaults () {
  const settings = {}
  for (const name of Object.keys(table)) settings[name] = table[name].value
  return settings
}

/** Lays options over settings. Throws a TypeError that names the wrong one, before anything is changed. */
function merge (settings, options) {
  if (options === undefined || options === null) return settings
  if (typeof options !== 'object') throw new TypeError(`pm25-ext: options must be an object, not ${typeof options}`)
  for (const name of Object.keys(options)) {
    const option = Object.hasOwnProperty.call(table, name) ? table[name] : undefined
    if (option === undefined) {
      throw new TypeError(`pm25-ext: there is no option "${name}"; options are ${Object.keys(table).join(', ')}`)
    }
    if (options[name] !== undefined && !option.check(options[name])) {
      throw new TypeError(`pm25-ext: option "${name}" must be ${option.want}`)
    }
  }
  for (const name of Object.keys(options)) {
    if (options[name] !== undefined) settings[name] = options[name]
  }
  return settings
}

const words = new Map([['true', true], ['on', true], ['1', true], ['false', false], ['off', false], ['0', false]])

/** Lays PM25_EXT_* variables over settings. Wrong ones are left out and named to warn(): the app must start. */
function mergeEnv (settings, env, warn) {
  for (const name of Object.keys(table)) {
    const option = table[name]
    const text = env[option.env]
    if (text === undefined || text === null || text === '') continue
    let value = text
    if (typeof option.value === 'boolean') value = words.get(String(text).toLowerCase())
    else if (typeof option.value === 'number') value = Number(text)
    if (option.check(value)) settings[name] = value
    else warn(`pm25-ext: ${option.env} must be ${option.want}; the default stays in force`)
  }
  return settings
}

module.exports = { defaults, merge, mergeEnv }
