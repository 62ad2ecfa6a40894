// Package arrivals holds the tests of exceptions and exits as one chain, from
// an app under a real PM2 that throws or ends, over pm25-agent and HTTP, to
// what the store of a real pm25 server answers: that each arrives once, with
// what a person needs, in the right group and state. It has no code of its own.
//
// The tests have the build tag arrivals; with PM25_ARRIVALS_WRITE=1 they write
// what they saw into docs/arrivals.md.
package arrivals
