'use strict'

/**
 * Sees uncaught exceptions and unhandled rejections without being a listener of either: a listener of
 * 'unhandledRejection' would keep a process alive that Node lets crash, and be counted by whoever looks.
 */
function observe (guard, onUncaught, onRejection) {
  const none = {}
  let rejected = none

  process.on('uncaughtExceptionMonitor', (err, origin) => {
    guard.run('exceptions', () => {
      // A rejection that nobody listens to crashes the process. It was seen below, as what it was.
      const known = origin === 'unhandledRejection' && rejected !== none
      rejected = none
      if (!known) onUncaught(err, origin)
    })
  })

  const emit = process.emit
  process.emit = function (event, reason) {
    if (event === 'unhandledRejection') {
      rejected = reason
      guard.run('exceptions', onRejection, reason)
      const handled = Reflect.apply(emit, this, arguments)
      if (handled) rejected = none
      return handled
    }
    return Reflect.apply(emit, this, arguments)
  }
}

module.exports = { observe }
