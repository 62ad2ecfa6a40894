'use strict'

/** Replaces a method by what make(method) returns; nothing happens where there is no such method. */
function wrap (object, name, make) {
  const method = object === undefined || object === null ? undefined : object[name]
  if (typeof method !== 'function') return
  const wrapped = make(method)
  Object.defineProperty(wrapped, 'name', { value: method.name, configurable: true })
  Object.defineProperty(wrapped, 'length', { value: method.length, configurable: true })
  Object.assign(wrapped, method)
  Object.defineProperty(object, name, { value: wrapped, writable: true, configurable: true, enumerable: true })
}

module.exports = { wrap }
