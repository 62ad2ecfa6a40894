'use strict'

const { Series } = require('./series.js')
const { cut } = require('../text.js')

const OTHER = '(other)'
const UNMATCHED = '(unmatched)'
const STATIC = '(static)'
const MAX_NAME = 128

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'CONNECT', OTHER]
const CODES = ['1xx', '2xx', '3xx', '4xx', '5xx', 'aborted']
const ABORTED = 5
const OTHER_METHOD = METHODS.length - 1
const methodIndex = new Map(METHODS.map((name, i) => [name, i]))

/** One route and its series, by method and status class. */
class Route {
  constructor (name) {
    this.name = name
    this.series = new Array(METHODS.length * CODES.length).fill(null)
    this.collapsed = false
    /** Ends in a catch-all: "*", "*path" or "{path*}". */
    this.wildcard = /\*[\w}]*$/.test(name)
  }
}

// Which names were folded into (other), in constant memory: a bit for each of many hashes.
class Seen {
  constructor () {
    this.bits = null
  }

  /** Tells whether the name is new. Among tens of thousands a few are mistaken for others. */
  add (name) {
    if (this.bits === null) this.bits = new Uint32Array(8192)
    let hash = 0x811c9dc5
    for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193)
    hash = (hash ^ (hash >>> 15)) & 0x3ffff
    const bit = 1 << (hash & 31)
    if ((this.bits[hash >>> 5] & bit) !== 0) return false
    this.bits[hash >>> 5] |= bit
    return true
  }
}

/** All series of the process, never more than the settings allow, whatever the requests look like. */
class Table {
  constructor (settings) {
    this.settings = settings
    this.routes = new Map()
    this.folded = 0
    this.seriesCount = 0
    this.all = []
    this.changed = []
    this.collapsed = 0
    this.seen = new Seen()
    this.other = new Route(OTHER)
    this.unmatched = new Route(UNMATCHED)
    this.static = new Route(STATIC)
  }

  /** The route of a name that a framework gave. */
  named (name) {
    const route = this.routes.get(name)
    return route !== undefined ? route : this.add(name, false)
  }

  /**
   * The route of a folded path. Paths are chosen by clients, so they get half of the room only:
   * a scan must not keep the app's own routes out.
   */
  path (name) {
    const route = this.routes.get(name)
    return route !== undefined ? route : this.add(name, true)
  }

  add (name, folded) {
    const max = this.settings.maxRoutes
    if (name.length > MAX_NAME) {
      name = cut(name, MAX_NAME)
      const known = this.routes.get(name)
      if (known !== undefined) return known
    }
    if (this.routes.size >= max || (folded && this.folded >= Math.ceil(max / 2))) {
      if (this.seen.add(name)) this.collapsed++
      return this.other
    }
    const route = new Route(name)
    this.routes.set(name, route)
    if (folded) this.folded++
    return route
  }

  /** The series of one request. code is an index of CODES. */
  series (route, method, code) {
    let m = methodIndex.get(method)
    if (m === undefined) m = OTHER_METHOD
    const slot = m * CODES.length + code
    const series = route.series[slot]
    return series !== null ? series : this.addSeries(route, m, code, slot)
  }

  addSeries (route, m, code, slot) {
    if (route !== this.other) {
      if (this.seriesCount >= this.settings.maxSeries) {
        if (!route.collapsed) {
          route.collapsed = true
          this.collapsed++
        }
        return this.series(this.other, METHODS[m], code)
      }
      this.seriesCount++
    }
    const series = new Series(METHODS[m], route.name, CODES[code])
    route.series[slot] = series
    this.all.push(series)
    return series
  }

  observe (series, seconds) {
    series.observe(seconds)
    if (!series.changed) {
      series.changed = true
      this.changed.push(series)
    }
  }

  /** Rows of the series that changed since the last call, or of all. */
  rows (full) {
    const changed = this.changed
    for (let i = 0; i < changed.length; i++) {
      changed[i].toRow()
      changed[i].changed = false
    }
    const list = full ? this.all : changed
    const rows = new Array(list.length)
    for (let i = 0; i < list.length; i++) rows[i] = list[i].row
    this.changed = []
    return rows
  }
}

/** The index in CODES of a status. */
function codeIndex (status) {
  const i = Math.floor(status / 100) - 1
  return i >= 0 && i <= 4 ? i : 4
}

/** The name under which a method is counted. */
function methodName (method) {
  return methodIndex.has(method) ? method : OTHER
}

module.exports = { Table, methodName, METHODS, CODES, ABORTED, OTHER, UNMATCHED, STATIC, codeIndex }
