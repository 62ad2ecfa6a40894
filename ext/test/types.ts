import ext, { init, notifyError, event, middleware, status, version, type Options } from '../index.js'

const options: Options = { slow: 0.5, transport: 'socket' }
const works: boolean = init(options)
notifyError(new Error('x'), { order: 7 })
event('order.placed')
middleware({}, {}, () => {})
const reason: string | null = status().reason
// @ts-expect-error: there is no such option
init({ slowness: 1 })
export { works, reason, version, ext }
