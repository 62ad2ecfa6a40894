"use strict";
Object.defineProperty(exports, "__esModule", {
    value: true
});
Object.defineProperty(exports, "cartTotal", {
    enumerable: true,
    get: function() {
        return cartTotal;
    }
});
function cartTotal(items) {
    return items.reduce((sum, item)=>sum + priceOf(item), 0);
}
function priceOf(item) {
    const amount = item.price.amount;
    return amount;
}

//# sourceMappingURL=cart.js.map
