// Prints an error with a cause, and writes down what its stacks are.
function query() { return new TypeError('query failed'); }
function save() { return new Error('could not save', { cause: query() }); }
const err = save();
require('fs').writeFileSync('same.json', JSON.stringify([err.stack, err.cause.stack]));
console.error(err);
