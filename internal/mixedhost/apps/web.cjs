'use strict'

// An Express app of the older kind. MODULES says where Express is.
const express = require(`${process.env.MODULES}/express`)

const app = express()
app.get('/users/:id', (req, res) => res.send('ok'))
app.listen(Number(process.env.PORT), '127.0.0.1')
