'use strict';
// The app of the tests: it does nothing until told to, and then everything that
// an app under PM2 may do to whoever watches it.
//
// Two ways to tell it:
//   env DO            a word ("throw") or a JSON list of commands, run at start
//   <PM2_HOME>/c<pm_id>.sock   one JSON command a line, one JSON answer a line
// A command is {"do": <name>, "after": <ms>, ...its own arguments}. The answer to
// a command on the socket is written before the command takes effect when the
// command may end the process, so that the caller knows it was heard.
// With env PORT set (0 picks a free one) it also serves HTTP on 127.0.0.1.

const fs = require('fs');
const http = require('http');
const net = require('net');
const path = require('path');
const { spawn } = require('child_process');

const kept = []; // what "leak" holds on to
let port = 0;

const send = (type, data) => { if (process.send) process.send({ type, data }); };
const streamOf = (c) => (c.stream === 'err' ? process.stderr : process.stdout);

const commands = {
  // --- ways to end -------------------------------------------------------
  throw(c) {
    const Type = globalThis[c.type] || Error;
    const err = new Type(c.message || 'boom');
    if (c.code) err.code = c.code;
    throw err;
  },
  reject(c) { Promise.reject(c.value !== undefined ? c.value : new Error(c.message || 'rejected')); },
  exit(c) { process.exit(c.code || 0); },
  exit0() { process.exit(0); },
  exit3() { process.exit(3); },
  abort() { process.abort(); },
  signal(c) { process.kill(process.pid, c.signal || 'SIGKILL'); },
  // Runs into V8's heap limit; start it with --max-old-space-size.
  oom() { const a = []; for (;;) a.push(new Array(1000).fill({ n: a.length })); },

  // --- ways to misbehave -------------------------------------------------
  ignore(c) { for (const s of c.signals || ['SIGTERM', 'SIGINT']) process.on(s, () => {}); },
  // Busy for `share` of each 50 ms, for `ms` (0: for ever).
  burn(c) {
    const share = c.share || 1;
    const end = c.ms ? Date.now() + c.ms : Infinity;
    const tick = () => {
      const stop = performance.now() + 50 * share;
      while (performance.now() < stop);
      if (Date.now() < end) setTimeout(tick, 50 * (1 - share));
    };
    tick();
  },
  // Stops the event loop for `ms`, without using the CPU.
  hang(c) { Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, c.ms || 1000); },
  // Keeps the event loop from all else for `ms` at a time, with `free` ms between,
  // without using the CPU.
  occupy(c) {
    const next = () => { commands.hang(c); setTimeout(next, c.free || 1); };
    next();
  },
  // Takes `mb` MiB of resident memory, again every `every` ms if given.
  leak(c) {
    const grow = () => kept.push(Buffer.alloc((c.mb || 1) << 20, 1));
    grow();
    if (c.every) setInterval(grow, c.every);
  },
  // Writes `count` lines at once, or about `mbps` MB/s for `ms` (0: for ever).
  log(c) {
    const line = (c.text || 'x'.repeat((c.size || 100) - 1)) + '\n';
    if (!c.mbps) {
      for (let i = 0; i < (c.count || 1); i++) streamOf(c).write(line);
      return;
    }
    const chunk = line.repeat(Math.max(1, Math.round((c.mbps * 1e6) / 50 / line.length)));
    const timer = setInterval(() => streamOf(c).write(chunk), 20);
    if (c.ms) setTimeout(() => clearInterval(timer), c.ms);
  },

  // --- what @pm2/io would send -------------------------------------------
  metric(c) {
    send('axm:monitor', {
      [c.name || 'answer']: { value: c.value === undefined ? 42 : c.value, type: c.id || c.name || 'answer', unit: c.unit, historic: true },
    });
  },
  // An exception that was caught and reported: the process lives on.
  notify(c) {
    const err = new Error(c.message || 'handled');
    send('process:exception', { message: err.message, stack: err.stack, name: err.name });
  },
  // Any message to the bus; PM2 forwards it under the type that the app chose.
  emit(c) { for (let i = 0; i < (c.count || 1); i++) send(c.type || 'test:event', c.data || { ok: true }); },

  // --- the rest ----------------------------------------------------------
  spawn(c) {
    const pids = [];
    for (let i = 0; i < (c.count || 1); i++) {
      const child = spawn(c.command || process.execPath, c.args || ['-e', 'setInterval(()=>{},1e6)'], { stdio: 'ignore', detached: !!c.detached });
      child.on('error', () => {});
      pids.push(child.pid);
    }
    return { pids };
  },
  info() { return { pid: process.pid, pm_id: Number(process.env.pm_id), port, node: process.version, argv: process.argv.slice(2) }; },
};

// Commands that give an answer or cannot end the process run before the answer.
const immediate = new Set(['info', 'spawn', 'ignore', 'metric', 'notify', 'emit', 'log', 'leak']);

function run(c) {
  const f = commands[c.do];
  if (!f) throw new Error('unknown command ' + c.do);
  return f(c);
}

function runLater(c) { setTimeout(() => run(c), c.after || 0); }

// --- control socket ------------------------------------------------------
if (process.env.PM2_HOME && process.env.pm_id !== undefined) {
  const sock = path.join(process.env.PM2_HOME, `c${process.env.pm_id}.sock`);
  try { fs.unlinkSync(sock); } catch (e) { /* was not there */ }
  const server = net.createServer((conn) => {
    let buf = '';
    conn.on('error', () => {});
    conn.on('data', (d) => {
      buf += d;
      let i;
      while ((i = buf.indexOf('\n')) >= 0) {
        const line = buf.slice(0, i);
        buf = buf.slice(i + 1);
        answer(conn, line);
      }
    });
  });
  // exclusive: each worker of a cluster answers for itself.
  server.listen({ path: sock, exclusive: true });
  server.unref();
}

function answer(conn, line) {
  const reply = (o, done) => conn.write(JSON.stringify(o) + '\n', done);
  let c;
  try {
    c = JSON.parse(line);
    if (!commands[c.do]) return reply({ error: 'unknown command ' + c.do });
    if (immediate.has(c.do) && !c.after) return reply({ ok: true, ...(run(c) || {}) });
  } catch (e) {
    return reply({ error: String(e) });
  }
  reply({ ok: true }, () => runLater(c));
}

// --- HTTP ----------------------------------------------------------------
if (process.env.PORT !== undefined) {
  const server = http.createServer((req, res) => {
    const url = new URL(req.url, 'http://x');
    const end = (code, text) => { res.statusCode = code; res.end(text + '\n'); };
    switch (url.pathname) {
      case '/slow': return setTimeout(() => end(200, 'slow'), Number(url.searchParams.get('ms') || 100));
      case '/error': return end(500, 'error');
      case '/throw': return run({ do: 'throw', message: 'thrown in a request' });
      case '/never': return undefined; // until the client goes away
      default: return end(200, 'ok ' + process.pid);
    }
  });
  server.listen(Number(process.env.PORT), '127.0.0.1', () => { port = server.address().port; });
}

setInterval(() => {}, 1e6); // stay

// --- at start ------------------------------------------------------------
if (process.env.DO) {
  const list = process.env.DO.startsWith('[') ? JSON.parse(process.env.DO) : [{ do: process.env.DO }];
  for (const c of list) if (c.after) runLater(c); else run(c);
}
