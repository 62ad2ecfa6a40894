//go:build unix

// Command storebench measures the store: how many records a second Push takes
// from callers that come at the same time, beside raw inserts of the same rows
// at the same durability, what they take on the disk, and how long the queries
// of dashboards take.
//
// It loads records of about 2 KB as JSON, of 20 apps on 10 hosts over 30 days,
// with 200 exception groups. What it measures is the store alone: no HTTP and
// no parsing of what agents send.
package main
