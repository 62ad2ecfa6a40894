import http from 'http'

enum Answer { Ok = 'ok' } // what Node.js alone can not run

http.createServer((req: http.IncomingMessage, res: http.ServerResponse): void => {
  res.end(Answer.Ok)
}).listen(Number(process.env.PORT), '127.0.0.1')
