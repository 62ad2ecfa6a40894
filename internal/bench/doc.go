// Command bench measures the agent beside another exporter, pm2-metrics, on one
// real PM2 and writes docs/benchmarks.md, which says how it measures and what
// it found.
//
// It counts CPU time, not time on the clock, and takes turns between the
// parties within each cycle, so that whatever else the machine does falls on
// all of them. Everything it starts is on loopback and in a PM2_HOME of its
// own, and ends with it.
package main
