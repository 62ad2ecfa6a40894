'use strict'

const { fold, pathOf, isStatic } = require('./fold.js')

const kNext = Symbol.for('NextInternalRequestMeta')
const CACHED = 500

/** Text for what a framework took as a path: text, an expression, or several of them. */
function pattern (path) {
  if (typeof path === 'string') return path
  if (Array.isArray(path)) return path.map(pattern).join('|')
  return path === undefined || path === null ? '' : String(path)
}

function join (base, path) {
  if (base === '') return path === '' ? '/' : path
  return path === '/' || path === '' ? base : base + path
}

/** Finds the route of a finished request. */
class Namer {
  constructor (table) {
    this.table = table
    this.paths = new Map()
    this.joined = new WeakMap()
  }

  name (req, state, status, method) {
    let template = state.template
    if (template === undefined && state.context !== null) template = koaTemplate(state.context)
    if (typeof template === 'string') return this.template(template, state)
    if (template === null) return this.missing(state, status, method)
    const route = req === undefined ? undefined : req.route
    if (route !== undefined && route !== null && route.path !== undefined) return this.express(req, route, state)
    if (req !== undefined && req[kNext] !== undefined) {
      const page = nextPage(req[kNext])
      if (page !== null) return page === '/_not-found' || page === '/404' ? this.table.unmatched : this.template(page, state)
    }
    return this.missing(state, status, method)
  }

  template (template, state) {
    // A catch-all that serves files is one route for all of them already; what it serves says more.
    const route = this.table.named(template)
    return route.wildcard && isStatic(pathOf(state.url)) ? this.table.static : route
  }

  express (req, route, state) {
    let base = state.base !== null ? state.base : req.baseUrl
    if (typeof base !== 'string') base = ''
    if (base === '' && typeof route.path === 'string') return this.template(route.path === '' ? '/' : route.path, state)
    // One string a route and prefix, not one a request.
    const known = this.joined.get(route)
    if (known !== undefined && known.base === base && state.mounts === null) return this.template(known.name, state)
    const name = join(mountTemplate(base, state.mounts), pattern(route.path))
    if (state.mounts === null) this.joined.set(route, { base, name })
    return this.template(name, state)
  }

  // No framework has a route for it.
  missing (state, status, method) {
    if (status === 404) return this.table.unmatched
    const url = state.url
    const known = this.paths.get(url)
    if (known !== undefined) return known
    const path = pathOf(url)
    let route
    if ((method === 'GET' || method === 'HEAD') && isStatic(path)) route = this.table.static
    else if (path === '*' || path.charCodeAt(0) !== 47) route = this.table.other
    else route = this.table.path(fold(path))
    if (url.length <= 200) {
      if (this.paths.size >= CACHED) this.paths.clear()
      this.paths.set(url, route)
    }
    return route
  }
}

// Prefixes with parameters hold the client's values. Those that were seen being mounted are known by their template.
function mountTemplate (base, mounts) {
  if (base === '') return ''
  if (mounts !== null) {
    for (let i = mounts.length - 1; i >= 0; i--) {
      const { actual, template } = mounts[i]
      if (base === actual) return template
      if (base.startsWith(actual + '/')) return template + fold(base.slice(actual.length))
    }
  }
  return fold(base)
}

function koaTemplate (context) {
  const route = context._matchedRoute
  if (route === undefined || route === null) return undefined
  return pattern(route)
}

function nextPage (meta) {
  const match = meta.match
  if (match !== undefined && match !== null && match.definition !== undefined) {
    const page = match.definition.pathname
    if (typeof page === 'string') return page
  }
  return typeof meta.invokeOutput === 'string' ? meta.invokeOutput : null
}

module.exports = { Namer, pattern, mountTemplate }
