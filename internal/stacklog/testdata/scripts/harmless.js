// Nothing of this is an error.
process.emitWarning('this is old', 'DeprecationWarning');
console.trace('where are we');
console.error('Error: only a line');
console.error('GET /errors 200 TypeError');
console.error('    at the end of the day');
console.log(JSON.stringify({ level: 'info', message: 'fine', stack: 'Error: x\n    at f (/a.js:1:2)' }));
console.log(JSON.stringify({ level: 30, msg: 'fine', err: { type: 'Error', message: 'x', stack: 'Error: x\n    at f (/a.js:1:2)' } }));
console.error('   at home (and at work)');
