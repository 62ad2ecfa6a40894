'use strict'

/** Cuts text to at most max bytes of UTF-8, between two characters. */
function cut (text, max) {
  if (text.length * 3 <= max) return text
  // A character has at least one byte, so nothing after max characters can stay.
  const bytes = Buffer.from(text.length > max ? text.slice(0, max) : text)
  if (bytes.length <= max) return text.length > max ? text.slice(0, max) : text
  let end = max
  while (end > 0 && (bytes[end] & 0xc0) === 0x80) end--
  return bytes.toString('utf8', 0, end)
}

module.exports = { cut }
