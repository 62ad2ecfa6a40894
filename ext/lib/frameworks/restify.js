'use strict'

const { wrap } = require('./wrap.js')

/** restify: routes stand in req.route; each server tells errors when a request is over. */
function restify (exports, report) {
  wrap(exports, 'createServer', (createServer) => function () {
    const server = Reflect.apply(createServer, this, arguments)
    server.on('after', (req, res, route, err) => {
      if (err) report(err, res)
    })
    return server
  })
}

module.exports = { restify }
