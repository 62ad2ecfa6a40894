'use strict'

function price (item) { return item.price.amount }

exports.total = function total (cart) { return price(cart) }
