'use strict';
// mailer: takes mails from a queue and "sends" them. A worker without a port:
// all that is seen of it is what it logs, and that it lives.

const templates = ['order-confirmation', 'shipping-notice', 'password-reset', 'newsletter'];
const queue = [];
let sent = 0;
let id = 1000;

const log = (level, message, more = {}) => {
  const line = JSON.stringify({ level, message, ...more });
  (level === 'error' ? console.error : console.log)(line);
};

// New mails arrive in small groups.
setInterval(() => {
  for (let n = Math.floor(Math.random() * 3); n > 0; n--) {
    queue.push({ id: ++id, template: templates[id % templates.length], tries: 0 });
  }
}, 700);

// One mail at a time. Now and then the mail server is not in the mood; such a
// mail goes back to the end of the queue.
setInterval(() => {
  const mail = queue.shift();
  if (!mail) return;
  mail.tries++;
  if (Math.random() < 0.05 && mail.tries < 3) {
    log('error', '451 4.7.1 try again later', { mail: mail.id, tries: mail.tries });
    queue.push(mail);
    return;
  }
  sent++;
  log('info', 'sent', { mail: mail.id, template: mail.template, ms: 30 + Math.floor(Math.random() * 200) });
}, 400);

setInterval(() => log('info', 'queue', { waiting: queue.length, sent }), 15000);

log('info', 'mailer is up');
