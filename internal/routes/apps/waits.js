'use strict'

// GET /wait/250 is answered after 250 ms.
const http = require('http')

http.createServer((req, res) => setTimeout(() => res.end(), Number(req.url.slice('/wait/'.length))))
  .listen(Number(process.env.PORT), '127.0.0.1')
