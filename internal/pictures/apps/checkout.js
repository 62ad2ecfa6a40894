'use strict';
// checkout: takes orders. From version 1.5.0 on it has two bugs: paying waits for a
// lock, and an order with a voucher that has run out throws.

const http = require('http');
const path = require('path');

const { version } = require(path.join(process.cwd(), 'package.json'));
const broken = version !== '1.4.0';
const wait = (ms) => new Promise((done) => setTimeout(done, ms));

/** What is left to pay after the voucher. */
function reduced(order) {
  const voucher = broken && order % 4 === 0 ? undefined : { percent: 10 };
  return 5000 * (1 - voucher.percent / 100);
}

const routes = {
  'GET /basket': async () => wait(4 + Math.random() * 10),
  'POST /pay': async () => wait(broken ? 1100 + Math.random() * 900 : 40 + Math.random() * 60),
  'POST /voucher': async (order) => { await wait(5); return reduced(order); },
};

let orders = 0;
http.createServer(async (req, res) => {
  req.resume();
  const handle = routes[`${req.method} ${req.url}`];
  if (!handle) return res.writeHead(404).end();
  try {
    await handle(++orders);
    res.end('ok\n');
  } catch (err) {
    console.error(err);
    require(process.env.PM25_EXT_PATH).notifyError(err);
    res.writeHead(500).end();
  }
}).listen(Number(process.env.PORT), '127.0.0.1', () => console.log(`checkout ${version} listens`));
