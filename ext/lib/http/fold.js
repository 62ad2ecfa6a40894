'use strict'

const MAX_SEGMENTS = 8
const ID = ':id'

const uuid = /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i
const hex = /^(?=.*\d)[0-9a-f]{8,}$/i
const digits = /^[\d.,:+-]*\d[\d.,:+-]*$/
// Letters and digits mixed through a long word: ULIDs, nanoids, base64.
const token = /^(?=.*\d)(?=.*[a-z])[\w~=.-]{16,}$/i
const part = /(^|[-_.~])\d+(?=$|[-_.~])|\d{4,}/g
const plain = /^[a-z][a-z_-]*$/i

function segment (text) {
  if (text.length <= 24 && plain.test(text)) return text
  if (text.length > 40 || digits.test(text) || uuid.test(text) || hex.test(text) || token.test(text)) return ID
  if (text.includes('%') || text.includes('@') || text.includes(';')) return ID
  return text.replace(part, '$1' + ID)
}

/** The path of a URL as the client sent it: without query and, for a proxy's request, without scheme and host. */
function pathOf (url) {
  let start = 0
  if (url.charCodeAt(0) !== 47) {
    const scheme = url.indexOf('://')
    if (scheme > 0 && scheme < 8) {
      start = url.indexOf('/', scheme + 3)
      if (start < 0) return '/'
    }
  }
  for (let i = start; i < url.length; i++) {
    const c = url.charCodeAt(i)
    if (c === 63 || c === 35) return url.slice(start, i)
  }
  return start === 0 ? url : url.slice(start)
}

/** A path with everything replaced in it that looks like an id, so that many paths become one route. */
function fold (path) {
  if (path === '/' || path === '') return '/'
  const segments = path.split('/', MAX_SEGMENTS + 2)
  let out = ''
  for (let i = segments[0] === '' ? 1 : 0; i < segments.length; i++) {
    if (i > MAX_SEGMENTS) return out + '/*'
    if (segments[i] !== '') out += '/' + segment(segments[i])
  }
  return out === '' ? '/' : out
}

const asset = /\.(?:js|mjs|css|map|png|jpe?g|gif|svg|ico|webp|avif|woff2?|ttf|otf|eot|mp[34]|webm|ogg|wasm|txt|webmanifest)$/i
const assetFolder = /^\/(?:_next\/(?:static|image)|_nuxt|__nuxt_[a-z]+|_ipx)(?:\/|$)/

/** Tells whether a path names a file that a server hands out as it is. */
function isStatic (path) {
  return asset.test(path) || assetFolder.test(path)
}

module.exports = { fold, pathOf, isStatic }
