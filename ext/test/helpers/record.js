'use strict'

const fs = require('fs')
const path = require('path')

const root = path.join(__dirname, '../../..')

/** With UPDATE_RECORDINGS=1: saves what was on the bus, or on the agent's socket, for the agent's tests, without the paths of this machine. */
function record (name, pm2, messages = pm2.messages) {
  if (process.env.UPDATE_RECORDINGS !== '1') return
  const lines = messages.filter((m) => m.topic.startsWith('pm25:')).map((m) => JSON.stringify(m)
    .split(pm2.home).join('/home/shop/.pm2')
    .split(root).join('/srv/shop'))
  fs.writeFileSync(path.join(__dirname, '../recordings', `${name}.jsonl`), lines.join('\n') + '\n')
}

module.exports = { record }
