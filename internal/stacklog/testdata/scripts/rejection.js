async function load() { await null; throw new RangeError('页码超出范围'); }
load();
