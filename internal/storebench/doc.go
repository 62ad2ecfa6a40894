// Package storebench measures the way of records into the store and back out:
// pushes over HTTP beside raw inserts of the same rows and beside Loki, and the
// queries of dashboards over the read API, with a million and ten million records.
// It has no code of its own.
//
// The tests have the build tag storebench; with PM25_STOREBENCH_WRITE=1 they
// write what they measured into docs/store.md. They take the half of an hour and
// 15 GB below PM25_STOREBENCH_DIR, which keeps the stores for another run, or
// else below the folder for temporary files.
package storebench
