// Node's own print of an error that nobody caught.
function pay(order) {
  return order.items.length;
}
pay({});
