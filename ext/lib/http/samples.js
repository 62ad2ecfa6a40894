'use strict'

const { uuidv7 } = require('../uuid.js')
const { pathOf } = require('./fold.js')
const { cut } = require('../text.js')

const PER_SERIES = 3
const IN_ALL = 20

/** Slow and failed requests, one by one, a few of each kind between two reports. */
class Samples {
  constructor (settings) {
    this.settings = settings
    this.list = []
    this.from = []
    this.dropped = 0
  }

  take (series, status, seconds, aborted, url) {
    if (series.samples >= PER_SERIES || this.list.length >= IN_ALL) {
      this.dropped++
      return
    }
    series.samples++
    this.from.push(series)
    const at = Date.now()
    const sample = {
      id: uuidv7(at),
      m: series.row[0],
      r: series.row[1],
      c: status,
      s: Math.round(seconds * 1e6) / 1e6,
      at,
      aborted
    }
    if (this.settings.target) sample.target = cut(pathOf(url), 1024)
    this.list.push(sample)
  }

  drain () {
    const list = this.list
    for (const series of this.from) series.samples = 0
    this.list = []
    this.from = []
    return list
  }
}

module.exports = { Samples }
