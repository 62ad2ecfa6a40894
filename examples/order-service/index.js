'use strict';
// 订单服务 (order service)：接收订单、推进订单状态，并提供查询接口。
// In PM2 it has a Chinese name and a namespace of its own: what shows it must
// carry both as they are.

const http = require('http');

const PORT = Number(process.env.PORT || 4302);
const STATES = ['待付款', '已付款', '已发货', '已完成'];

const orders = new Map();
let serial = 20250000;

function create() {
  const order = { id: `D${++serial}`, state: 0, cents: 500 + Math.floor(Math.random() * 20000) };
  orders.set(order.id, order);
  if (orders.size > 500) orders.delete(orders.keys().next().value); // 只保留最近的订单
  console.log(`订单已创建 ${order.id} 金额 ¥${(order.cents / 100).toFixed(2)}`);
  return order;
}

const show = (o) => ({ 订单号: o.id, 状态: STATES[o.state], 金额: o.cents / 100 });

// 每隔一会儿，随机推进一个未完成的订单。
setInterval(() => {
  const open = [...orders.values()].filter((o) => o.state < STATES.length - 1);
  const order = open[Math.floor(Math.random() * open.length)];
  if (!order) return;
  order.state++;
  console.log(`订单 ${order.id} ${STATES[order.state]}`);
}, 1500);

const server = http.createServer((req, res) => {
  const send = (status, body) => res.writeHead(status, { 'content-type': 'application/json; charset=utf-8' }).end(JSON.stringify(body) + '\n');
  const { pathname } = new URL(req.url, 'http://orders');
  req.resume();
  if (pathname === '/healthz') return send(200, { 状态: '正常' });
  if (pathname === '/orders' && req.method === 'POST') return send(201, show(create()));
  if (pathname === '/orders') return send(200, [...orders.values()].slice(-20).map(show));
  const order = orders.get(pathname.replace(/^\/orders\//, ''));
  return order ? send(200, show(order)) : send(404, { 错误: '没有这个订单' });
});

server.listen(PORT, '127.0.0.1', () => console.log(`订单服务已启动 http://127.0.0.1:${PORT}/`));

process.on('SIGINT', () => {
  server.close(() => process.exit(0));
  server.closeAllConnections();
});
