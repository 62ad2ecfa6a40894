// Package alerts holds the tests of what is told, and of what is not: trouble
// that is caused under a real PM2, seen by a real `pm25 up`, and read at a
// webhook, with every link followed; hours in which operators work and nothing
// is wrong; and a storm of alerts. It has no code of its own.
//
// The tests have the build tag alerts; with PM25_ALERTS_WRITE=1 they write what
// they measured into docs/alert-times.md.
package alerts
