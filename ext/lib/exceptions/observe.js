'use strict'

/**
 * Sees uncaught exceptions and unhandled rejections without being a listener of either: a listener of
 * 'unhandledRejection' would keep a process alive that Node lets crash, and be counted by whoever looks.
 */
function observe (guard, onUncaught, onRejection) {
  // Rejections without listener, which end the process unless a flag or a handler of uncaught exceptions says otherwise.
  // Not looked at before that is decided: a stack that was read is printed without its line of source.
  let pending = []
  // What --unhandled-rejections=strict reported as an exception first.
  let raised

  function drain () {
    const reasons = pending
    pending = []
    for (const reason of reasons) guard.run('exceptions', onRejection, reason)
  }

  process.on('uncaughtExceptionMonitor', (err, origin) => {
    if (origin !== 'unhandledRejection') guard.run('exceptions', onUncaught, err)
    else if (pending.length > 0) drain()
    else {
      raised = err
      guard.run('exceptions', onRejection, err)
    }
  })

  function onEmit (reason) {
    if (raised !== undefined && raised === reason) {
      raised = undefined
    } else if (process.listenerCount('unhandledRejection') > 0) {
      onRejection(reason)
    } else {
      pending.push(reason)
      // Still alive then: nothing was raised.
      setImmediate(drain).unref()
    }
  }

  const emit = process.emit
  process.emit = function (event, reason) {
    if (event === 'unhandledRejection') guard.run('exceptions', onEmit, reason)
    return Reflect.apply(emit, this, arguments)
  }
}

module.exports = { observe }
