export async function checkout() {
  throw new RangeError('from a module');
}
