'use strict'

const path = require('path')

module.exports = { output: 'standalone', outputFileTracingRoot: path.join(__dirname, '..'), eslint: { ignoreDuringBuilds: true } }
