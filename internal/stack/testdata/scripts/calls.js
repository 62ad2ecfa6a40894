// Prints the stacks of many kinds of calls, each below a line of its own.
'use strict';
const show = (name, err) => console.log(`=== ${name}\n${err.stack}`);
const grab = (name, f) => { try { f(); } catch (err) { show(name, err); } };

function plain() { throw new Error('plain'); }
grab('plain', plain);

class Cart {
  constructor(fail) { if (fail) throw new TypeError('new cart'); }
  add() { return this.#check(); }
  #check() { throw new Error('method'); }
  get total() { throw new Error('getter'); }
  static open() { throw new Error('static'); }
}
grab('new', () => new Cart(true));
grab('method', () => new Cart().add());
grab('getter', () => new Cart().total);
grab('static', () => Cart.open());
grab('as', () => { const o = { run: plain }; o.run(); });
grab('native', () => [1].map(() => plain()));
grab('eval', () => eval('(function inEval() { plain(); })()'));
grab('function', () => new Function('f', 'f()')(plain));
grab('json', () => JSON.parse('{"a":'));
grab('multiline', () => { throw new Error('first line\n  second line\n    at the end of it'); });
grab('recursion', () => { (function again() { again(); })(); });
grab('chinese', () => { const o = { 结账() { throw new Error('库存不足'); } }; o.结账(); });

(async () => {
  async function inner() { await null; throw new Error('async'); }
  async function outer() { await inner(); }
  try { await outer(); } catch (err) { show('async', err); }
  try { await Promise.all([outer(), null]); } catch (err) { show('promise all', err); }
  try { await new Promise((resolve, reject) => { plain(); }); } catch (err) { show('new promise', err); }
  try { await require('fs').promises.readFile('/no/such/file'); } catch (err) { show('no calls', err); }
  try { require('./broken.js'); } catch (err) { show('syntax', err); }
  try { require('./missing.js'); } catch (err) { show('missing', err); }
  try { require('package')(); } catch (err) { show('package', err); }
  await new Promise((done) => require('net').connect(1, '127.0.0.1').on('error', (err) => { show('connect', err); done(); }));
  await new Promise((done) => setTimeout(() => { grab('timer', plain); done(); }, 1));
  try { await (await import('./module.mjs')).checkout(); } catch (err) { show('module', err); }
})();
