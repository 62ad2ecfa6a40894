package discovery

import (
	"strings"
	"testing"
)

func TestLookupPasswd(t *testing.T) {
	const passwd = "root:x:0:0:root:/root:/bin/sh\nbroken\nnode:x:1000:1000::/home/node:/bin/sh\n"
	if name, home := lookupPasswd(strings.NewReader(passwd), 1000); name != "node" || home != "/home/node" {
		t.Errorf("got %q, %q", name, home)
	}
	if name, _ := lookupPasswd(strings.NewReader(passwd), 5); name != "" {
		t.Errorf("got %q for a uid that is not there", name)
	}
}

func TestUIDMap(t *testing.T) {
	const m = "         0     100000      65536\n     70000       7      1\n"
	if uid, ok := insideUID(m, 101000); !ok || uid != 1000 {
		t.Errorf("inside: %d, %v", uid, ok)
	}
	if uid, ok := outsideUID(m, 0); !ok || uid != 100000 {
		t.Errorf("outside: %d, %v", uid, ok)
	}
	if _, ok := insideUID(m, 5); ok {
		t.Error("a uid outside of the map was mapped")
	}
}
