'use strict'

// Has as many routes as ROUTES says, and two whose names nobody would choose.
const path = require('path')
const here = require('module').createRequire(path.join(__dirname, '../../../ext/test/frameworks/package.json'))
const app = here('fastify4')({ maxParamLength: 200 })

for (let i = 0; i < Number(process.env.ROUTES || 0); i++) app.get(`/made/${i}/:id`, async () => 'made')
app.get('/odd"quote\nnew\\line\t{}/:id', async () => 'odd')
app.get('/' + 'é'.repeat(100), async () => 'long')
app.listen({ port: Number(process.env.PORT), host: '127.0.0.1' })
