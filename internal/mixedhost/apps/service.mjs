// An Express app that is an ES module.
const { default: express } = await import(`${process.env.MODULES}/express/index.js`)

const app = express()
app.get('/users/:id', (req, res) => res.send('ok'))
app.listen(Number(process.env.PORT), '127.0.0.1')
