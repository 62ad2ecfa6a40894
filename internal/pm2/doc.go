// Package pm2 is a client of the PM2 process manager's daemon that can not
// harm it.
//
// It guarantees:
//   - it sends three constant requests on rpc.sock (see request) and not one
//     byte on pub.sock;
//   - it takes allowed fields only: no value of an app's environment leaves
//     the decoders;
//   - it reads everything PM2 sends, at once, in bounded memory, because PM2
//     buffers without limit for a reader that stalls.
//
// It does not find daemons (package discovery) and keeps no counts (package
// ledger).
package pm2
