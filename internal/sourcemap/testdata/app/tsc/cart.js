"use strict";
Object.defineProperty(exports, "__esModule", { value: true });
exports.cartTotal = cartTotal;
// 合计：价格之和
function cartTotal(items) {
    return items.reduce((sum, item) => sum + priceOf(item), 0);
}
function priceOf(item) {
    const amount = item.price.amount;
    return amount;
}
//# sourceMappingURL=cart.js.map