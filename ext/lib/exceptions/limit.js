'use strict'

const MINUTE = 60000
const PER_FINGERPRINT = 10
const IN_ALL = 60
const REMEMBERED = 500

/** Lets through so many a minute. */
class Window {
  constructor (max) {
    this.max = max
    this.start = 0
    this.count = 0
  }

  take (now) {
    if (now - this.start >= MINUTE || now < this.start) {
      this.start = now
      this.count = 0
    }
    if (this.count >= this.max) return false
    this.count++
    return true
  }
}

/** Limits exceptions by fingerprint and in all, and knows how many each one that passes stands for. */
class Limit {
  constructor () {
    this.all = new Window(IN_ALL)
    this.known = new Map()
  }

  /** The number of occurrences to report now, or 0. */
  take (fingerprint, now) {
    let entry = this.known.get(fingerprint)
    if (entry === undefined) {
      entry = { window: new Window(PER_FINGERPRINT), skipped: 0 }
      if (this.known.size >= REMEMBERED) this.known.delete(this.known.keys().next().value)
      this.known.set(fingerprint, entry)
    }
    // A storm of one kind must not use up the room of the others.
    if (!entry.window.take(now) || !this.all.take(now)) {
      entry.skipped++
      return 0
    }
    const occurrences = 1 + entry.skipped
    entry.skipped = 0
    return occurrences
  }
}

module.exports = { Limit, Window }
