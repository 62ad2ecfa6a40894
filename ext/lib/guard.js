'use strict'

const LIMIT = 3

/** Keeps our failures from the app: counts them by part, and turns a part off that fails again and again. */
class Guard {
  constructor () {
    this.failures = {}
    this.stops = {}
  }

  /** Says how a part is turned off. */
  onOff (part, stop) {
    this.stops[part] = stop
  }

  isOff (part) {
    return (this.failures[part] || 0) >= LIMIT
  }

  fail (part) {
    const n = (this.failures[part] || 0) + 1
    this.failures[part] = n
    if (n !== LIMIT) return
    try {
      const stop = this.stops[part]
      if (stop !== undefined) stop()
    } catch {
      // It is marked as off; that has to do.
    }
  }

  run (part, fn, a, b, c) {
    if (this.isOff(part)) return undefined
    try {
      return fn(a, b, c)
    } catch {
      this.fail(part)
      return undefined
    }
  }
}

module.exports = { Guard }
