package soak

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestCounter: the sum is Prometheus' own, with a step back read as a reset.
func TestCounter(t *testing.T) {
	for _, test := range []struct {
		name   string
		values []float64
		want   float64
	}{
		{"one sample tells nothing", []float64{7}, 0},
		{"growth", []float64{2, 2, 5}, 3},
		{"reset", []float64{5, 9, 0, 3}, 7},
		{"reset that nobody saw at 0", []float64{5, 9, 2}, 6},
		{"reset that looks like growth", []float64{5, 5, 6}, 1},
	} {
		var c counter
		for _, v := range test.values {
			c.add(v)
		}
		if c.sum != test.want {
			t.Errorf("%s: %v, want %v", test.name, c.sum, test.want)
		}
	}
}

// TestBlind: three lives, of which the second one was never scraped.
func TestBlind(t *testing.T) {
	at := func(seconds int) time.Time { return time.Unix(1000+int64(seconds), 0) }
	lives := []life{{at(0), at(10)}, {at(11), at(12)}, {at(14), at(20)}}
	got := blind(lives, []time.Time{at(1), at(8), at(13), at(16), at(19)}, slack)
	want := []window{{at(8).Add(-slack), at(14).Add(slack)}}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(window{})); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	e := &ends{at: map[string][]time.Time{"a": {at(2), at(8), at(13), at(14), at(15)}}}
	if n := e.within("a", append(got, window{at(13), at(15)})); n != 4 {
		t.Errorf("%d ends within the windows, want 4", n)
	}
}
