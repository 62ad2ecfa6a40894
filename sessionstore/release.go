package sessionstore

import (
	"strings"
	"time"
)

// Release is what an app runs: its version, the revision of its repository, or
// both.
type Release struct {
	Version, Revision string
	First             time.Time // when something of it was first seen to happen; zero: never
}

// IsZero is true where neither version nor revision is known.
func (r Release) IsZero() bool { return r.Version == "" && r.Revision == "" }

// Name is what a person calls it: the version, or else the revision.
func (r Release) Name() string {
	if r.Version != "" {
		return r.Version
	}
	return r.Revision
}

// Newer is true if r is newer than other: by semantic version if both have
// different ones, else by when they were first seen. One that was never seen,
// or is not known, is not newer than any, nor any newer than it.
func (r Release) Newer(other Release) bool {
	if order, ok := compareVersions(r.Version, other.Version); ok && order != 0 {
		return order > 0
	}
	if r.IsZero() || other.IsZero() || r.First.IsZero() || other.First.IsZero() {
		return false
	}
	return r.First.After(other.First)
}

// Newest returns the release that no other is newer than; of several the last.
func Newest(releases []Release) (newest Release) {
	for _, r := range releases {
		if newest.IsZero() || r.Newer(newest) {
			newest = r
		}
	}
	return newest
}

// compareVersions orders semantic versions (1.2.3-rc.1+build, with or without
// a v); ok is false if one of them is none. Build metadata does not count.
func compareVersions(a, b string) (order int, ok bool) {
	va, okA := parseVersion(a)
	vb, okB := parseVersion(b)
	if !okA || !okB {
		return 0, false
	}
	for i := range va.numbers {
		if order := compareNumbers(va.numbers[i], vb.numbers[i]); order != 0 {
			return order, true
		}
	}
	return comparePre(va.pre, vb.pre), true
}

type version struct {
	numbers [3]string
	pre     []string // empty for a release
}

func parseVersion(s string) (v version, ok bool) {
	s = strings.TrimPrefix(s, "v")
	s, _, _ = strings.Cut(s, "+")
	core, pre, hasPre := strings.Cut(s, "-")
	numbers := strings.Split(core, ".")
	if len(numbers) != 3 {
		return v, false
	}
	for i, n := range numbers {
		if !isNumber(n) {
			return v, false
		}
		v.numbers[i] = n
	}
	if hasPre {
		v.pre = strings.Split(pre, ".")
		for _, p := range v.pre {
			if p == "" {
				return v, false
			}
		}
	}
	return v, true
}

func comparePre(a, b []string) int {
	switch {
	case len(a) == 0 || len(b) == 0: // a release comes after what led to it
		return len(b) - len(a)
	}
	for i := range min(len(a), len(b)) {
		if order := comparePreOne(a[i], b[i]); order != 0 {
			return order
		}
	}
	return len(a) - len(b)
}

// comparePreOne: numbers come before words.
func comparePreOne(a, b string) int {
	switch numA, numB := isNumber(a), isNumber(b); {
	case numA && numB:
		return compareNumbers(a, b)
	case numA:
		return -1
	case numB:
		return 1
	}
	return strings.Compare(a, b)
}

func isNumber(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

// compareNumbers compares decimal numbers of any length.
func compareNumbers(a, b string) int {
	a, b = strings.TrimLeft(a, "0"), strings.TrimLeft(b, "0")
	if len(a) != len(b) {
		return len(a) - len(b)
	}
	return strings.Compare(a, b)
}
