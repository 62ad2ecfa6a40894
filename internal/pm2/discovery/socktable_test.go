package discovery

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseTable(t *testing.T) {
	const table = `Num       RefCount Protocol Flags    Type St Inode Path
000000003d5beff8: 00000002 00000000 00010000 0001 01 16737 /h/a/pub.sock
0000000016e1d5c3: 00000002 00000000 00010000 0001 01 16738 /h/a/rpc.sock
0000000022002d72: 00000003 00000000 00000000 0001 03 17009 /h/a/rpc.sock
0000000022002d73: 00000003 00000000 00000000 0001 03 17010
0000000022002d74: 00000002 00000000 00010000 0001 01 1 @/abstract/rpc.sock
0000000022002d75: 00000002 00000000 00010000 0001 01 2 relative/rpc.sock
0000000022002d76: 00000002 00000000 00010000 0001 01 3 /x/../rpc.sock
0000000022002d77: 00000002 00000000 00010000 0005 01 4 /seqpacket/rpc.sock
0000000022002d78: 00000002 00000000 00000000 0002 01 5 /dgram/rpc.sock
0000000022002d79: 00000002 00000000 00010000 0001 01     66 /with  two spaces/rpc.sock
0000000022002d7a: 00000002 00000000 00010000 0001 01 7 /h/xrpc.sock
0000000022002d7b: 00000002 00000000 00010000 0001 01 8 /h/a/rpc.sock
0000000022002d7c: 00000002 00000000 00010000 0001 01 9 /rpc.sock
0000000022002d7d: 00000002 00000000 00010000 0001 01 10 /pub.sock
garbage
`
	var bad []string
	got, err := parseTable(strings.NewReader(table), func(p string) { bad = append(bad, p) })
	if err != nil {
		t.Fatal(err)
	}
	want := []listener{
		{home: "/h/a", rpc: []string{"16738", "8"}, pub: true},
		{home: "/with  two spaces", rpc: []string{"66"}},
		{home: "/", rpc: []string{"9"}, pub: true},
	}
	if d := cmp.Diff(want, got, cmp.AllowUnexported(listener{})); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"relative/rpc.sock", "/x/../rpc.sock"}, bad); d != "" {
		t.Error(d)
	}
}

func TestParseTableIsBounded(t *testing.T) {
	var b strings.Builder
	for i := range maxTableHomes + 100 {
		fmt.Fprintf(&b, "0: 00000002 00000000 00010000 0001 01 %d /h/%d/rpc.sock\n", i, i)
	}
	got, err := parseTable(strings.NewReader(b.String()), func(string) {})
	if err != nil || len(got) != maxTableHomes {
		t.Errorf("%d homes, %v; want %d", len(got), err, maxTableHomes)
	}
}

func FuzzParseRow(f *testing.F) {
	f.Add("0: 00000002 00000000 00010000 0001 01 7 /h/rpc.sock")
	f.Add("0: 00000002 00000000 00010000 0001 01 7")
	f.Fuzz(func(t *testing.T, row string) {
		if _, p, ok := parseRow(row); ok && !strings.HasSuffix(row, p) {
			t.Errorf("path %q is not the end of %q", p, row)
		}
	})
}
