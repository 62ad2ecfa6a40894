'use strict'

const SIGNALS = ['SIGINT', 'SIGTERM']

/** Calls last() when the process ends in a way that leaves time for it. */
function watchExit (guard, settings, last) {
  process.on('exit', () => guard.run('exit', last))

  // A cluster worker closes its channel before it exits.
  if (typeof process.disconnect === 'function') {
    const disconnect = process.disconnect
    process.disconnect = function () {
      guard.run('exit', last)
      return Reflect.apply(disconnect, this, arguments)
    }
  }

  if (settings.signals) for (const signal of SIGNALS) watchSignal(signal, guard, last)
}

/**
 * A signal without listener ends a process at once. Ours is first in line and takes itself away before the others run,
 * so that they find the list as if it had never been there; if there are none, the signal is raised again and does what
 * it does by default.
 */
function watchSignal (signal, guard, last) {
  function onSignal () {
    guard.run('exit', last)
    process.removeListener(signal, onSignal)
    if (process.listenerCount(signal) === 0) {
      process.kill(process.pid, signal)
      return
    }
    setImmediate(() => process.prependListener(signal, onSignal)).unref()
  }
  process.prependListener(signal, onSignal)
}

module.exports = { watchExit }
