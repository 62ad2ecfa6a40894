// Package logql reads and evaluates a subset of LogQL, Loki's query language,
// over entries of a store.
//
// It guarantees: what Parse accepts is evaluated as Loki would; what is outside
// of the subset is an error that names it; a parsed expression's String parses
// to the same; the work and the memory of a query stay within Limits, whatever
// is asked; range aggregations see records at nanosecond precision, over
// (start, end] of their windows. docs/logql.md lists the subset, and the places
// where answers differ from Loki's.
//
// It does not speak HTTP (package lokiapi does), and caches nothing.
package logql
