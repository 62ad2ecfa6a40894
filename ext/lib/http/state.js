'use strict'

const kState = Symbol('pm25-ext.request')

/** What is remembered of a request while it lasts. It hangs on the response, or on the stream in HTTP/2. */
class RequestState {
  constructor (start, url) {
    this.start = start
    this.url = url
    /** The template that a framework gave; undefined: none was asked, null: the framework has no such route. */
    this.template = undefined
    /** Express: the prefix under which the route was found. It is gone from the request when an error has left its router. */
    this.base = null
    this.mounts = null
    /** Koa's context, which names the route only when its handlers are done. */
    this.context = null
    this.error = undefined
    this.pipelined = null
    /** The response or stream, and the neighbors in the list of requests that are not done. */
    this.owner = null
    this.before = null
    this.after = null
    this.done = false
  }
}

/** The state of a response, whoever wrapped it: undefined when it is not counted. */
function stateOf (res) {
  if (res === null || typeof res !== 'object') return undefined
  const state = res[kState]
  if (state !== undefined) return state
  const stream = res.stream
  return stream !== null && typeof stream === 'object' ? stream[kState] : undefined
}

module.exports = { RequestState, kState, stateOf }
