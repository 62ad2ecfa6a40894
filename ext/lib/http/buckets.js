'use strict'

/** Upper bounds of the classic buckets, in seconds. */
const CLASSIC = [0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 0.6, 1, 2.5, 5, 10]

/** Bucket i of the exponential layout holds (2^((i-1)/8), 2^(i/8)] seconds. */
const SCHEMA = 3
const PER_OCTAVE = 1 << SCHEMA
/** Durations up to this one have no logarithm worth keeping. */
const ZERO = 2 ** -40
const HIGHEST = 20 * PER_OCTAVE

// 2^(i/8) as Prometheus has them, halved there; Math.pow is off by a bit here and there.
const fractions = [
  0.5, 0.5452538663326288, 0.5946035575013605, 0.6484197773255048,
  0.7071067811865475, 0.7711054127039704, 0.8408964152537144, 0.9170040432046711
].map((half) => half * 2)

/** The upper bound of bucket i. */
function bound (i) {
  const octave = Math.floor(i / PER_OCTAVE)
  return fractions[i - octave * PER_OCTAVE] * 2 ** octave
}

const LOWEST = -40 * PER_OCTAVE
const bounds = new Float64Array(HIGHEST - LOWEST + 1)
for (let i = 0; i < bounds.length; i++) bounds[i] = bound(LOWEST + i)

/** The bucket of a duration above ZERO. The logarithm can be off by one at a bound, so the bounds decide. */
function index (seconds) {
  let i = Math.ceil(Math.log2(seconds) * PER_OCTAVE) + 0
  if (i > HIGHEST) return HIGHEST
  if (i <= LOWEST) return LOWEST + 1
  if (seconds <= bounds[i - 1 - LOWEST]) i--
  else if (seconds > bounds[i - LOWEST] && i < HIGHEST) i++
  return i
}

module.exports = { CLASSIC, SCHEMA, ZERO, bound, index }
