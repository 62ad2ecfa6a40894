// Package leaks holds recordings of what memory real Node.js processes use, healthy
// ones and leaking ones, and a test that replays them against the rules. Development
// only.
package leaks

import "time"

// MiB is the unit of recordings.
const MiB = 1 << 20

// Restarted is the line of a recording between two lives of the process.
const Restarted = "# restarted"

// Scenario is one service that is recorded.
type Scenario struct {
	Name string
	What string
	// Leaks is when the leak begins, in hours; less than 0: it is healthy.
	Leaks float64
	// Until is how long a healthy one may be taken for a leak: on its first day
	// nothing tells the difference.
	Until time.Duration

	Every       time.Duration // between two samples
	Length      time.Duration
	OldSpace    int     // --max-old-space-size, MiB
	MemoryLimit float64 // max_memory_restart, bytes
}

// Services are recorded for hours or, where days matter, for days.
const (
	hours = time.Minute     // between two samples of the former
	days  = 4 * time.Minute // of the latter
)

// Scenarios lists them.
func Scenarios() []Scenario {
	healthy := func(name string, every time.Duration, what string) Scenario { return scenario(name, every, -1, what) }
	restarts := scenario("leak_restarts", hours, 0, "40 MiB/h, restarted at its memory limit")
	restarts.OldSpace = 512
	sessions := healthy("sessions_24h", days, "sessions up and down, 55 MiB in 24 h, with the same traffic all the time")
	sessions.Until = 26 * time.Hour
	return []Scenario{
		healthy("steady", hours, "the same traffic all the time"),
		healthy("cache_warmup", hours, "a cache of 60 MiB, asked at random: fills with a time constant of 1 h"),
		healthy("cache_linear", hours, "a cache of 60 MiB that fills evenly in 3 h, then drops the oldest"),
		healthy("lru_fill", hours, "an LRU cache of 70 MiB, asked at random: fills with a time constant of 4 h"),
		healthy("lru_slow", days, "an LRU cache of 60 MiB, asked at random: fills with a time constant of 12 h"),
		healthy("cycle_4h", hours, "sessions and traffic up and down, 50 MiB in 4 h"),
		healthy("cycle_24h", days, "sessions and traffic up and down, 55 MiB in 24 h"),
		sessions,
		healthy("batch_nightly", days, "60 MiB more for 1.5 h each night"),
		healthy("burst", hours, "four times the traffic and 35 MiB more for 40 min of every 5 h"),
		healthy("fragmentation", hours, "50 MiB of buffers whose sizes change: the allocator can not use the holes"),
		scenario("leak_quick", hours, 0, "12 MiB/h of heap: full in 8 h"),
		scenario("leak_fast", hours, 0, "5 MiB/h of heap"),
		scenario("leak_late", hours, 5, "7 MiB/h of heap, from the fifth hour on"),
		scenario("leak_buffer", hours, 0, "6 MiB/h of buffers, outside of the heap"),
		restarts,
		scenario("leak_days", days, 0, "1.4 MiB/h of heap: full in 3 days"),
		scenario("leak_slow", days, 0, "0.5 MiB/h of heap: full in 9 days"),
		scenario("leak_cycle", days, 0, "0.4 MiB/h of heap under sessions up and down, 30 MiB in 24 h"),
	}
}

func scenario(name string, every time.Duration, leaks float64, what string) Scenario {
	s := Scenario{Name: name, What: what, Leaks: leaks, Every: every, Length: 18 * time.Hour, OldSpace: 128, MemoryLimit: 240 * MiB}
	if every == days {
		s.Length = 132 * time.Hour
	}
	return s
}
