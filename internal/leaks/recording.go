package leaks

import (
	"bufio"
	"bytes"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Sample is what a process told at one moment, in bytes.
type Sample struct {
	At          time.Duration // since the beginning
	Born        time.Duration // when the process started
	Restarts    int           // before it
	RSS         float64
	HeapUsed    float64
	HeapAfterGC float64 // NaN before the first major collection
	CPU         float64 // seconds since the beginning, over all restarts
}

// Recording is what a scenario's process told, with the limit of its heap.
type Recording struct {
	Scenario

	HeapLimit float64
	Samples   []Sample
}

// Parse reads a recording: a line `rss,heap_used,heap_after_gc,cpu_ms` for each
// sample, MiB and milliseconds of CPU since the line before. Errors name the line.
func Parse(s Scenario, text []byte) (Recording, error) {
	r := Recording{Scenario: s}
	lines := bufio.NewScanner(bytes.NewReader(text))
	next := Sample{}
	for n := 1; lines.Scan(); n++ {
		switch line := lines.Text(); {
		case line == Restarted:
			next.Born = next.At
			next.Restarts++
		case strings.HasPrefix(line, "#"):
			if _, after, ok := strings.Cut(line, "heap limit "); ok {
				if _, err := fmt.Sscan(after, &r.HeapLimit); err != nil {
					return Recording{}, fmt.Errorf("line %d: heap limit: %w", n, err)
				}
				r.HeapLimit *= MiB
			}
		case strings.HasPrefix(line, "rss"):
		default:
			if err := next.read(line); err != nil {
				return Recording{}, fmt.Errorf("line %d: %w", n, err)
			}
			r.Samples = append(r.Samples, next)
			next.At += s.Every
		}
	}
	if r.HeapLimit == 0 || len(r.Samples) == 0 {
		return Recording{}, fmt.Errorf("no heap limit, or no samples")
	}
	return r, lines.Err()
}

// read takes a line.
func (s *Sample) read(line string) error {
	fields := strings.Split(line, ",")
	if len(fields) != 4 {
		return fmt.Errorf("%d fields, want 4", len(fields))
	}
	var v [4]float64
	for i, f := range fields {
		var err error
		if v[i], err = strconv.ParseFloat(f, 64); err != nil {
			return err
		}
	}
	s.RSS, s.HeapUsed, s.HeapAfterGC = v[0]*MiB, v[1]*MiB, v[2]*MiB
	s.CPU += v[3] / 1000
	if math.IsNaN(s.RSS) || math.IsNaN(s.CPU) {
		return fmt.Errorf("%q: not a number", line)
	}
	return nil
}
