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

  if (settings.signals) watchSignals(guard, last)
}

/**
 * A signal without listener ends a process at once. Ours is first in line and takes itself away before the others run,
 * so that they find the list as if it had never been there; if there are none, the signal is raised again and does what
 * it does by default.
 *
 * Others go before the last report: while a worker makes one, PM2 hands it connections, and they are lost when a listener
 * then closes the server and ends the process. What listeners do by themselves to end it is ahead of setImmediate.
 */
function watchSignals (guard, last) {
  let due = false
  const hold = () => {}
  const settle = () => {
    if (!due) return
    due = false
    // Signals often come twice, to a process and to all below its parent: the second must not end it meanwhile.
    for (const signal of SIGNALS) process.on(signal, hold)
    guard.run('exit', last)
    for (const signal of SIGNALS) process.removeListener(signal, hold)
  }

  function watch (signal) {
    function onSignal () {
      due = true
      if (process.listenerCount(signal) === 1) settle()
      process.removeListener(signal, onSignal)
      if (process.listenerCount(signal) === 0) {
        process.kill(process.pid, signal)
        return
      }
      process.nextTick(() => process.prependListener(signal, onSignal))
      setImmediate(settle).unref()
    }
    process.prependListener(signal, onSignal)
  }

  // How libraries that have dealt with a signal let it take its course.
  const kill = process.kill
  process.kill = function (pid) {
    if (pid === process.pid) settle()
    return Reflect.apply(kill, this, arguments)
  }
  SIGNALS.forEach(watch)
}

module.exports = { watchExit }
