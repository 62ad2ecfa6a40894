'use strict'

// As little as an app can be.
const http = require('http')

http.createServer((req, res) => res.end()).listen(Number(process.env.PORT) + Number(process.env.NODE_APP_INSTANCE || 0), '127.0.0.1')
