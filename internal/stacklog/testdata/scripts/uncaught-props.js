// The same with a code, a cause that has a cause, and properties.
function connect() {
  const err = new Error('connect ECONNREFUSED 10.0.0.7:5432');
  err.code = 'ECONNREFUSED';
  err.address = { host: 'db', ports: [5432, 5433] };
  return err;
}
function query() {
  return new TypeError('query failed', { cause: connect() });
}
class SaveError extends Error {
  constructor(message, options) { super(message, options); this.name = 'SaveError'; this.code = 'E_SAVE'; }
}
throw new SaveError('could not save\norder 17', { cause: query() });
