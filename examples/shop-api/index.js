'use strict';
// shop-api: products and carts as JSON. Runs as a cluster; the workers share the
// port, and each has carts of its own (a shop with more than two customers would
// use a database).

const http = require('http');

const PORT = Number(process.env.PORT || 4301);

const products = [
  { id: 'sencha', name: 'Sencha, 100 g', cents: 1290, stock: 42, about: 'Steamed green tea from Kagoshima.' },
  { id: 'longjing', name: '龙井 Longjing, 50 g', cents: 1850, stock: 17, about: 'Pan-fired in spring, near West Lake.' },
  { id: 'assam', name: 'Assam, 250 g', cents: 990, stock: 120, about: 'Strong enough for milk.' },
  { id: 'pot', name: 'Teapot, 0.6 l', cents: 4900, stock: 8, about: 'Cast iron, with a strainer.' },
];
const carts = new Map();
let requests = 0;

const wait = (ms) => new Promise((done) => setTimeout(done, ms));
// What a database would take: mostly 2 to 20 ms, now and then a slow one.
const query = () => wait(Math.random() < 0.02 ? 400 + Math.random() * 400 : 2 + Math.random() * 18);

const routes = [
  ['GET', /^\/healthz$/, () => ({ status: 'ok', worker: process.env.NODE_APP_INSTANCE })],

  ['GET', /^\/api\/products$/, async () => {
    await query();
    return { products: products.map(({ id, name, cents }) => ({ id, name, cents })) };
  }],

  ['GET', /^\/api\/products\/([^/]+)$/, async (id) => {
    await query();
    return products.find((p) => p.id === id);
  }],

  ['POST', /^\/api\/carts\/([^/]+)\/items$/, async (cart) => {
    await query();
    const items = (carts.get(cart) || 0) + 1;
    carts.set(cart, items);
    if (carts.size > 1000) carts.delete(carts.keys().next().value); // the oldest
    return { cart, items };
  }],
];

const server = http.createServer(async (req, res) => {
  requests++;
  const { pathname } = new URL(req.url, 'http://api');
  const send = (status, body) => res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body) + '\n');
  req.resume();
  try {
    for (const [method, pattern, handle] of routes) {
      const match = method === req.method && pathname.match(pattern);
      if (!match) continue;
      const body = await handle(...match.slice(1).map(decodeURIComponent));
      return body ? send(200, body) : send(404, { error: 'no such thing' });
    }
    return send(404, { error: 'no such route' });
  } catch (err) {
    console.error(err);
    return send(500, { error: 'internal error' });
  }
});

server.listen(PORT, '127.0.0.1', () => console.log(`shop-api worker ${process.env.NODE_APP_INSTANCE || 0} listens on http://127.0.0.1:${PORT}/`));

// Metrics of our own. This is the message that @pm2/io's io.metric() sends; with
// that package installed it would read
//   io.metric({ name: 'Open carts', id: 'shop/carts/open' }).set(carts.size)
if (process.send) {
  setInterval(() => {
    process.send({
      type: 'axm:monitor',
      data: {
        'Open carts': { type: 'shop/carts/open', value: carts.size, unit: 'carts', historic: true },
        'Requests served': { type: 'shop/requests', value: requests, unit: 'requests', historic: true },
      },
    });
  }, 1000).unref();
}

// A reload sends SIGINT to the old worker: finish what is under way, then go.
process.on('SIGINT', () => {
  server.close(() => process.exit(0));
  server.closeIdleConnections();
});
