'use strict';
// An app whose version 1.4.3 has a bug: every second payment fails.

const fs = require('fs');
const http = require('http');
const path = require('path');
const { notifyError } = require(process.env.EXT);

const { version } = JSON.parse(fs.readFileSync(path.join(__dirname, 'package.json'), 'utf8'));
let payments = 0;

function pay() {
  payments++;
  if (version === '1.4.3' && payments % 2 === 0) throw new TypeError('gift cards have no card');
}

http.createServer((req, res) => {
  try {
    pay();
    res.end('paid\n');
  } catch (err) {
    notifyError(err);
    res.statusCode = 500;
    res.end('failed\n');
  }
}).listen(Number(process.env.PORT), '127.0.0.1');
