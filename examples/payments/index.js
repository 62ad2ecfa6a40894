'use strict';
// payments: settles payments from a gateway's notifications. It has a bug, and it
// is the kind that everybody has had: a refund to a gift card has no `card`.
// Nothing catches that, so the process dies and PM2 starts it again, and again.

const EVERY = Number(process.env.PAYMENTS_EVERY_MS || 1000);

// What the gateway sends, over and over.
const notifications = [
  { id: 'pay_8f21', kind: 'capture', amount: 1290, card: { brand: 'visa', last4: '4242' } },
  { id: 'pay_8f22', kind: 'capture', amount: 4900, card: { brand: 'unionpay', last4: '0007' } },
  { id: 'pay_8f23', kind: 'refund', amount: 990, card: { brand: 'visa', last4: '1881' } },
  { id: 'pay_8f24', kind: 'refund', amount: 1850 }, // to a gift card
];

/** The line that appears on the customer's statement. */
function statementLine(payment) {
  return `${payment.kind} ${(payment.amount / 100).toFixed(2)} ${payment.card.brand.toUpperCase()} •••• ${payment.card.last4}`;
}

function settle(payment) {
  const line = statementLine(payment);
  console.log(`settled ${payment.id}: ${line}`);
}

let next = 0;
setInterval(() => {
  settle(notifications[next % notifications.length]);
  next++;
}, EVERY);

console.log('payments is up');
