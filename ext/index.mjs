import ext from './index.js'

export const { init, notifyError, event, middleware, status, version } = ext
export default ext
