'use strict';
// sessions: keeps who is signed in, and forgets nobody: about 0.6 MB a second of the
// heap, until PM2 restarts it.

const sessions = new Map();
let next = 0;

setInterval(() => {
  for (let i = 0; i < 150; i++) sessions.set(++next, { user: next, seen: [Date.now()], cart: Array.from({ length: 250 }, (_, n) => n + Math.random()) });
}, 500);
// Requests come and go beside it, so that there is something to collect.
setInterval(() => Array.from({ length: 20000 }, (_, n) => ({ n })), 100);

console.log('sessions is up');
