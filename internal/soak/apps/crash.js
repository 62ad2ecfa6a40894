'use strict';
// While the file `go` lies in PM2's home this app crashes, AFTER ms after its
// start; else it waits for it.
const fs = require('fs');
const path = require('path');

const go = path.join(process.env.PM2_HOME, 'go');
const after = Number(process.env.AFTER || 100);
const crash = () => { throw new Error('told to crash'); };

if (fs.existsSync(go)) {
  setTimeout(crash, after);
} else {
  setInterval(() => { if (fs.existsSync(go)) crash(); }, 50);
}
