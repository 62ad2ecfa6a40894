'use strict'

// ts-node with its settings in code: in cluster mode a preload does not see those in the app's environment yet.
const path = require('path')
const here = require('module').createRequire(path.join(__dirname, '../../../ext/test/frameworks/package.json'))

here('ts-node').register({ transpileOnly: true, skipProject: true, compilerOptions: { module: 'commonjs', esModuleInterop: true } })
