'use strict';
// Can not start, ever: PM2 gives it up.

throw new Error('no config');
