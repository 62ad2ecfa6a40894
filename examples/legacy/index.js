'use strict';
// legacy: nobody dares to delete it. The ecosystem file keeps it stopped;
// `pm2 start legacy` brings it up, and it does what it always did.

setInterval(() => {}, 60000);

console.log('legacy is up, which is a surprise');
