"use strict";
Object.defineProperty(exports, "__esModule", {
    value: true
});
const _cart = require("./cart");
class Checkout {
    user;
    constructor(user){
        this.user = user;
    }
    async payNow() {
        await null;
        const total = (0, _cart.cartTotal)([
            {
                name: 'a',
                price: {
                    amount: 1
                }
            },
            {
                name: 'b'
            }
        ]);
        return `${this.user}: ${total}`;
    }
}
new Checkout('li').payNow().catch((err)=>console.log(err.stack));

//# sourceMappingURL=main.js.map
