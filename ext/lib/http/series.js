'use strict'

const { CLASSIC, ZERO, index } = require('./buckets.js')

/** The histogram of one method, route and status class, since the process started. */
class Series {
  constructor (method, route, code) {
    this.count = 0
    this.sum = 0
    this.zero = 0
    this.classic = new Array(CLASSIC.length).fill(0)
    // Exponential buckets: exponential[k] counts bucket first + k.
    this.first = 0
    this.exponential = []
    this.changed = false
    this.samples = 0
    this.row = [method, route, code, 0, 0, this.classic, 0, []]
  }

  observe (seconds) {
    this.count++
    this.sum += seconds
    const classic = this.classic
    for (let i = 0; i < CLASSIC.length; i++) {
      if (seconds <= CLASSIC[i]) {
        classic[i]++
        break
      }
    }
    if (seconds <= ZERO) {
      this.zero++
      return
    }
    const counts = this.exponential
    const k = index(seconds) - this.first
    if (k >= 0 && k < counts.length) counts[k]++
    else this.extend(k)
  }

  // Makes room for a bucket outside of those seen so far, and counts it.
  extend (k) {
    const counts = this.exponential
    if (counts.length === 0) {
      this.first += k
      counts.push(1)
    } else if (k < 0) {
      const more = new Array(-k).fill(0)
      more[0] = 1
      this.exponential = more.concat(counts)
      this.first += k
    } else {
      while (counts.length < k) counts.push(0)
      counts.push(1)
    }
  }

  /** What a report says of this series. The row is kept and written anew, so that unchanged ones cost nothing. */
  toRow () {
    const row = this.row
    row[3] = this.count
    row[4] = Math.round(this.sum * 1e6) / 1e6
    row[6] = this.zero
    row[7] = this.runs()
    return row
  }

  runs () {
    const counts = this.exponential
    const runs = []
    let run = null
    for (let k = 0; k < counts.length; k++) {
      if (counts[k] === 0) {
        run = null
      } else if (run === null) {
        run = [this.first + k, counts[k]]
        runs.push(run)
      } else {
        run.push(counts[k])
      }
    }
    return runs
  }
}

module.exports = { Series }
