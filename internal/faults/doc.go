// Package faults kills, cuts off and fills up what takes records from an agent
// to the store, at random, and counts what came through. It has no code of its
// own: its tests are behind the build tag faults, and `make faults` runs them.
package faults
