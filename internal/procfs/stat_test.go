package procfs

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const statTail = " S 17 23 23 0 -1 4194560 1189 200 3 4 510 72 33 9 20 0 11 0 8812345 1073741824 12345 18446744073709551615 1 1 0"

var wantStat = stat{ppid: 17, state: 'S', user: 510, system: 72, waited: 42, threads: 11, start: 8812345, residentMemory: 12345}

func TestParseStat(t *testing.T) {
	for name, comm := range map[string]string{
		"plain":         "node",
		"empty":         "",
		"spaces":        "PM2 v7.0.4: God ",
		"parenthesis":   "a) R 1 2 3 (b",
		"closes twice":  "x) S 1 1))",
		"newlines":      "a\nb\n) Z 1",
		"other numbers": "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24",
		"not text":      "\xff\x00\xfe",
	} {
		t.Run(name, func(t *testing.T) {
			for _, end := range []string{"", "\n"} {
				var got stat
				if err := parseStat([]byte("4242 ("+comm+")"+statTail+end), &got); err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(wantStat, got, cmp.AllowUnexported(stat{})); diff != "" {
					t.Error(diff)
				}
			}
		})
	}
}

func TestParseStatRefuses(t *testing.T) {
	for name, line := range map[string]string{
		"nothing":      "",
		"no name":      "1 2 3",
		"only a name":  "1 (a)",
		"cut short":    "1 (a)" + statTail[:60],
		"cut mid way":  "1 (a) S 1 1 1",
		"letters":      "1 (a)" + strings.Replace(statTail, "510", "5x0", 1),
		"too large":    "1 (a)" + strings.Replace(statTail, "510", "18446744073709551616", 1),
		"parent":       "1 (a)" + strings.Replace(statTail, " 17 ", " 99999999999 ", 1),
		"empty field":  "1 (a)" + strings.Replace(statTail, "510", "", 1),
		"no state":     "1 (a)" + strings.Replace(statTail, "S ", "", 1),
		"double minus": "1 (a)" + strings.Replace(statTail, "-1", "--1", 1),
	} {
		t.Run(name, func(t *testing.T) {
			var got stat
			if err := parseStat([]byte(line), &got); err == nil {
				t.Errorf("no error, but %+v", got)
			}
		})
	}
}

func FuzzParseStat(f *testing.F) {
	f.Add("node", statTail)
	f.Add("a) S 1 2", " Z 0 0 0")
	f.Add("", "")
	f.Fuzz(func(t *testing.T, comm, tail string) {
		var s stat
		_ = parseStat([]byte("1 ("+comm+")"+tail), &s)
		// Whatever the name is, the fields after it are found.
		if err := parseStat([]byte("1 ("+comm+")"+statTail), &s); err != nil {
			t.Fatalf("name %q: %v", comm, err)
		}
		if s != wantStat {
			t.Fatalf("name %q: got %+v, want %+v", comm, s, wantStat)
		}
	})
}

func TestParsePIDs(t *testing.T) {
	for in, want := range map[string][]int{
		"":                         nil,
		"1":                        {1},
		"12 34 ":                   {12, 34},
		"\t9\t8\n":                 {9, 8},
		"0 5 99999999999999999 6 ": {5, 6},
	} {
		got := parsePIDs(nil, []byte(in))
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q: %s", in, diff)
		}
	}
}
