// src/cart.ts
function cartTotal(items) {
  return items.reduce((sum, item) => sum + priceOf(item), 0);
}
function priceOf(item) {
  const amount = item.price.amount;
  return amount;
}

// src/main.ts
var Checkout = class {
  constructor(user) {
    this.user = user;
  }
  user;
  async payNow() {
    await null;
    const total = cartTotal([{ name: "a", price: { amount: 1 } }, { name: "b" }]);
    return `${this.user}: ${total}`;
  }
};
new Checkout("li").payNow().catch((err) => console.log(err.stack));
