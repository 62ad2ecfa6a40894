import http from 'http'

const answer: string = 'ok'
const server = http.createServer((req: http.IncomingMessage, res: http.ServerResponse): void => { res.end(answer) })
server.listen(0, '127.0.0.1', () => {
  const address = server.address() as { port: number }
  process.send?.({ port: address.port })
})
