// Express' own handler of errors.
const express = require('express');
const app = express();
app.get('/a', function showUser(req) { req.user.name.length; });
app.get('/b', (req, res, next) => next(Object.assign(new Error('gone'), { status: 410 })));
const server = app.listen(0, '127.0.0.1', async () => {
  const base = `http://127.0.0.1:${server.address().port}`;
  await (await fetch(`${base}/a`)).text();
  await (await fetch(`${base}/b`)).text();
  process.exit(0);
});
