// What handlers of errors print: each line between is no error.
const fs = require('fs');
console.error('server listens on 3000');
const plain = () => new Error('plain');
console.error(plain());
console.error('could not load user 17:', plain());
console.error('retry', 3, 'of 5');
console.error(plain().stack);
const coded = plain();
coded.code = 'E_CODED';
coded.status = 503;
console.error(coded);
console.error({ user: 17, err: plain() });
console.error(new Error('outer', { cause: new TypeError('inner') }));
console.error(new AggregateError([new Error('first'), new RangeError('second')], 'all failed'));
try { fs.readFileSync('/no/such/file'); } catch (err) { console.error(err); }
try { null.x; } catch (err) { console.error(`${new Date(0).toISOString()} [ERROR] ${err.stack}`); }
try { Buffer.alloc('x'); } catch (err) { console.error(err); }
const bare = new Error('no stack');
bare.stack = undefined;
console.error(bare);
fs.promises.readFile('/no/such/file').catch((err) => console.error(err));
