// Package soak holds the tests of what the agent's counters promise over
// time: through kills, restarts, floods and months of scrapes in small. It
// has no code of its own.
//
// A quick subset runs with all other tests. The long ones have the build tag
// soak (`make soak`); with PM25_SOAK_WRITE=1 they write what they measured
// into docs/soak.md.
package soak
