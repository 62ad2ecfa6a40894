package record

import (
	"strings"
	"testing"
)

func TestDeeper(t *testing.T) {
	for _, test := range []struct {
		json  string
		limit int
		want  bool
	}{
		{`1`, 0, false},
		{`[]`, 0, true},
		{`[{}]`, 2, false},
		{`[{}]`, 1, true},
		{`[[],[],[]]`, 2, false},
		{`{"a":"[[[[\"[[[["}`, 1, false},
		{strings.Repeat("[", 1000) + strings.Repeat("]", 1000), 999, true},
	} {
		if got := Deeper([]byte(test.json), test.limit); got != test.want {
			t.Errorf("Deeper(%.40s, %d) = %t", test.json, test.limit, got)
		}
	}
}
