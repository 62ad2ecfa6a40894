'use strict';
// shop-web: the storefront. Renders pages from what shop-api answers.

const http = require('http');

const PORT = Number(process.env.PORT || 4300);
const API_URL = process.env.API_URL || 'http://127.0.0.1:4301';

const escape = (s) => String(s).replace(/[&<>"]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c]);
const euro = (cents) => `${(cents / 100).toFixed(2)} €`;

const page = (title, body) => `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${escape(title)}</title>
<style>
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 44rem; margin: 3rem auto; padding: 0 1rem; color: #223; }
  a { color: #0a6; text-decoration: none } h1 { font-weight: 600 }
  li { display: flex; justify-content: space-between; padding: .6rem 0; border-bottom: 1px solid #eee; list-style: none } ul { padding: 0 }
</style>
<h1>${escape(title)}</h1>
${body}
</html>
`;

/** Asks the API, and gives up after two seconds as a page should. */
async function api(path) {
  const res = await fetch(API_URL + path, { signal: AbortSignal.timeout(2000) });
  if (!res.ok) throw Object.assign(new Error(`api answered ${res.status} for ${path}`), { status: res.status });
  return res.json();
}

async function home() {
  const { products } = await api('/api/products');
  const items = products.map((p) => `<li><a href="/products/${p.id}">${escape(p.name)}</a><span>${euro(p.cents)}</span></li>`);
  return page('Tea & Things', `<ul>\n${items.join('\n')}\n</ul>`);
}

async function product(id) {
  const p = await api(`/api/products/${encodeURIComponent(id)}`);
  return page(p.name, `<p>${escape(p.about)}</p><p><b>${euro(p.cents)}</b>, ${p.stock} in stock</p><p><a href="/">All products</a></p>`);
}

const server = http.createServer(async (req, res) => {
  const { pathname } = new URL(req.url, 'http://shop');
  const send = (status, html) => res.writeHead(status, { 'content-type': 'text/html; charset=utf-8' }).end(html);
  try {
    if (pathname === '/healthz') return res.end('ok\n');
    if (pathname === '/') return send(200, await home());
    const [, id] = pathname.match(/^\/products\/([^/]+)$/) || [];
    if (id) return send(200, await product(decodeURIComponent(id)));
    return send(404, page('Not found', '<p><a href="/">Back to the shop</a></p>'));
  } catch (err) {
    if (err.status === 404) return send(404, page('Sold out for good', '<p><a href="/">Back to the shop</a></p>'));
    console.error(`${req.method} ${pathname} failed: ${err.message}`);
    return send(502, page('One moment please', '<p>The shop is being restocked.</p>'));
  }
});

server.listen(PORT, '127.0.0.1', () => console.log(`shop-web listens on http://127.0.0.1:${PORT}/`));

process.on('SIGINT', () => {
  server.close(() => process.exit(0));
  server.closeAllConnections();
});
