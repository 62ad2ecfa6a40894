// Package matrix holds no code of its own. Its tests put apps under every
// supported PM2 through every event of their lives, with the real agent
// watching, away, and away while PM2's log was rotated, and check that each
// event moves exactly the counters that events_test.go says and never twice.
//
// `make matrix` runs them all and writes docs/life-events.md; `make test` runs
// a short choice against the newest PM2.
package matrix
