const a = 1;
const a b;
