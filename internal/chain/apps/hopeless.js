'use strict';
// Ends with an error as soon as it starts.
process.exit(1);
