// An app that does nothing; PM2's own probes in it report every second.
setInterval(() => {}, 1 << 30);
