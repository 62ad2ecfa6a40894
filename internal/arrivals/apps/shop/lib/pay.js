'use strict'

exports.charge = function charge (order) { throw new Error('order ' + order.id + ' has no card') }
