// Package chain holds the tests of `pm25 up` as a whole, from something that
// goes wrong under a real PM2 to the message at a webhook: how long it takes,
// what is not told, and what kills, a full disk and a user's own files do to it.
// It has no code of its own.
//
// The tests have the build tag chain; with PM25_CHAIN_WRITE=1 they write what
// they measured into docs/alert-times.md.
package chain
