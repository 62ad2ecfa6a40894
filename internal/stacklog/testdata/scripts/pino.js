const log = require('pino')({ base: { pid: 17, hostname: 'web-1' }, timestamp: () => ',"time":1767225600000' });
log.info('started');
const cause = Object.assign(new Error('connect ECONNREFUSED 10.0.0.7:5432'), { code: 'ECONNREFUSED' });
log.error(new TypeError('query failed', { cause }), 'could not save');
log.error({ err: Object.assign(new Error('coded'), { code: 'E_CODED' }), user: 17 }, 'user failed');
log.fatal(new Error('gone'));
log.warn(new Error('only a warning'));
log.error('no error in it');
