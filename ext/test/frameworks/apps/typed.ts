import http from 'http'
import answer from './answer.js'

const server: http.Server = http.createServer((req: http.IncomingMessage, res: http.ServerResponse): void => answer(req, res))
server.listen(0, '127.0.0.1', () => {
  const address = server.address() as { port: number }
  process.send?.({ port: address.port })
})
