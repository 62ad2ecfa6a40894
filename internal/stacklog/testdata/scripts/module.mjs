export function go() { throw new Error('from a module'); }
go();
