"use strict";
Object.defineProperty(exports, "__esModule", { value: true });
const cart_1 = require("./cart");
class Checkout {
    user;
    constructor(user) {
        this.user = user;
    }
    async payNow() {
        await null;
        const total = (0, cart_1.cartTotal)([{ name: 'a', price: { amount: 1 } }, { name: 'b' }]);
        return `${this.user}: ${total}`;
    }
}
new Checkout('li').payNow().catch((err) => console.log(err.stack));
//# sourceMappingURL=main.js.map