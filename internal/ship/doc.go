// Package ship brings records to a server.
//
// It guarantees that every record which reached the spool (see package spool) is
// stored exactly once at the server, through kills, power losses, full disks, torn
// writes and any outage that is shorter than the spool's room and age. Each record
// that does not get there is counted by kind and reason:
//
//   - Put returns when the record is on disk (written and synced); it is the
//     caller's until then. All Puts that wait share one sync.
//   - Offer never blocks. The record waits in memory, within bounds, for one
//     goroutine that writes and syncs all that wait at once: the first of a calm time
//     without delay, those of a storm each 50 ms. A kill within that time loses it. A
//     full disk holds the queue until there is room; what then no longer fits into
//     the queue is refused.
//   - Records leave in batches, oldest first, one batch at a time. They are freed
//     when the server's receipt accounts for each of them, which it gives after its
//     own commit. What it refuses goes to the dead letters (deadletters.go).
//   - Close writes what waits, within some seconds.
//
// It does not guarantee the order in which records arrive, nor that a dead letter
// is written once: a kill between that and the acknowledgement writes it again.
//
// Memory is bounded: the queue, one batch and its compressed form. A record on disk
// takes none.
package ship
