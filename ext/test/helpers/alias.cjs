'use strict'

// Lets an app say require('express') and get the version under test: EXT_TEST_ALIAS="express=express4".
const Module = require('module')
const path = require('path')

const from = path.join(__dirname, '../frameworks/package.json')
const aliases = new Map((process.env.EXT_TEST_ALIAS || '').split(',').filter(Boolean).map((pair) => pair.split('=')))
const resolve = Module._resolveFilename
const here = Module.createRequire(from)

Module._resolveFilename = function (request) {
  const alias = aliases.get(request)
  return alias === undefined ? Reflect.apply(resolve, this, arguments) : here.resolve(alias)
}
