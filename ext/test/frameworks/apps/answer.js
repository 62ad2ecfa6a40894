'use strict'

/** Answers without any framework: the paths that the apps of frameworks have, by hand. */
module.exports = function answer (req, res) {
  const path = req.url.split('?')[0]
  if (path === '/slow') return
  if (path === '/late') {
    setTimeout(() => res.end('late'), 250)
    return
  }
  if (path.startsWith('/nope')) res.statusCode = 404
  if (path.endsWith('/fail')) res.statusCode = 500
  if (req.method === 'POST') res.statusCode = 201
  res.end('body')
}
