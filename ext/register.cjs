'use strict'

// The preload: `node --require /usr/lib/pm25/ext/register.cjs app.js`. Whatever goes wrong here, the app starts.
try {
  require('./lib/start.js').preload()
} catch {
  // Nothing is measured; nothing else changes.
}
