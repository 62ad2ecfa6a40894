package pm2

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"io/fs"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pm25/pm25/internal/pm2/pm2fake"
)

var requests = map[string]request{"ping": requestPing, "getVersion": requestGetVersion, "getMonitorData": requestGetMonitorData}

func TestRequestsAreWellFormed(t *testing.T) {
	for method, req := range requests {
		if want := pm2fake.Request(method, strings.TrimPrefix(req.id(), "s:")); string(req) != string(want) {
			t.Errorf("%s is\n%q, an independent encoder makes\n%q", method, req, want)
		}
		if req.String() != method {
			t.Errorf("%s calls itself %s", method, req)
		}
		// And once more, taken apart by hand.
		b := []byte(req)
		if b[0] != 0x12 {
			t.Fatalf("%s begins with 0x%02x", method, b[0])
		}
		n := binary.BigEndian.Uint32(b[1:])
		call, rest := b[5:5+n], b[5+n:]
		if id := rest[4:]; binary.BigEndian.Uint32(rest) != uint32(len(id)) || string(id) != req.id() || !strings.HasPrefix(req.id(), "s:") {
			t.Errorf("%s: second argument %q", method, rest)
		}
		var doc struct {
			Type, Method string
			Args         []json.RawMessage
		}
		if err := json.Unmarshal(call[2:], &doc); err != nil || string(call[:2]) != "j:" {
			t.Fatalf("%s: first argument %q: %v", method, call, err)
		}
		if doc.Type != "call" || doc.Method != method || len(doc.Args) != 1 || string(doc.Args[0]) != "{}" {
			t.Errorf("%s: %+v; PM2 restarts every app when the number of arguments is not one", method, doc)
		}
	}
}

// writeCounter is a connection that keeps each Write.
type writeCounter struct {
	net.Conn
	writes []string
}

func (w *writeCounter) Write(b []byte) (int, error) {
	w.writes = append(w.writes, string(b))
	return w.Conn.Write(b)
}

func TestRequestIsOneWrite(t *testing.T) {
	d := pm2fake.New(t)
	conn, pub, err := d.Dial(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer pub.Close()
	w := &writeCounter{Conn: conn}
	c := NewRPC(w)
	defer c.Close()
	if err := c.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Version(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := c.List(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := []string{string(requestPing), string(requestGetVersion), string(requestGetMonitorData)}
	if diff := cmp.Diff(want, w.writes); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// writers are the names of functions and methods that can put bytes on a
// connection.
var writers = []string{
	"Write", "WriteString", "WriteByte", "WriteRune", "WriteTo", "ReadFrom", "WriteMsgUnix", "WriteToUnix", "WriteAt",
	"Copy", "CopyN", "CopyBuffer", "Fprint", "Fprintf", "Fprintln", "NewWriter", "NewWriterSize", "NewReadWriter", "NewEncoder",
	"Send", "Sendto", "Sendmsg", "SendmsgN", "Sendfile", "Writev", "Pwrite", "Splice", "Tee", "NewFile", "File",
}

// TestOnlySendWrites: nothing in the packages that hold connections to PM2
// writes anything, but for the one function send, and what writes to memory
// and to our own files.
func TestOnlySendWrites(t *testing.T) {
	allowed := []string{
		"pm2/rpc.go send: io.WriteString(conn, string(req))",
		"pm2/discovery/knownfile.go writeKnown: json.NewEncoder(&buf)",
		"pm2/discovery/knownfile.go writeKnown: tmp.Write(buf.Bytes())",
		"pm2/discovery/label.go fit: h.Write([]byte(key))",
		"pm2/discovery/dial_linux.go home.socket: os.NewFile(uintptr(fd), name)", // O_PATH: can not be written to
	}
	var got, sends, made []string
	for _, dir := range []string{".", "../watch"} {
		err := filepath.WalkDir(dir, func(name string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() && (e.Name() == "pm2fake" || e.Name() == "testdata") {
				if e != nil && e.IsDir() {
					return fs.SkipDir
				}
				return err
			}
			if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
				return nil
			}
			abs, err := filepath.Abs(name)
			if err != nil {
				return err
			}
			_, rel, _ := strings.Cut(filepath.ToSlash(abs), "/internal/")
			f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
			if err != nil {
				return err
			}
			for _, decl := range f.Decls {
				where := rel + " " + declName(decl) + ": "
				ast.Inspect(decl, func(n ast.Node) bool {
					call, ok := n.(*ast.CallExpr)
					if !ok {
						return true
					}
					switch fun := call.Fun.(type) {
					case *ast.SelectorExpr:
						if slices.Contains(writers, fun.Sel.Name) {
							got = append(got, where+types.ExprString(call))
						}
					case *ast.Ident:
						switch fun.Name {
						case "send":
							sends = append(sends, where+types.ExprString(call))
						case "request":
							made = append(made, where+types.ExprString(call))
						}
					}
					return true
				})
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	slices.Sort(allowed)
	slices.Sort(got)
	if diff := cmp.Diff(allowed, got); diff != "" {
		t.Errorf("what writes, (-allowed +found)\n%s", diff)
	}
	if diff := cmp.Diff([]string{"pm2/rpc.go RPC.exchange: send(c.conn, req)"}, sends); diff != "" {
		t.Errorf("what sends, (-allowed +found)\n%s", diff)
	}
	if len(made) > 0 {
		t.Errorf("requests are made at run time: %q", made)
	}
}

// TestRequestsAreThree: no other constant of the type exists.
func TestRequestsAreThree(t *testing.T) {
	f, err := parser.ParseFile(token.NewFileSet(), "request.go", nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	ast.Inspect(f, func(node ast.Node) bool {
		if v, ok := node.(*ast.ValueSpec); ok && fmt.Sprint(v.Type) == "request" {
			n += len(v.Names)
		}
		return true
	})
	if n != len(requests) {
		t.Errorf("%d requests, this test knows %d", n, len(requests))
	}
}

func declName(d ast.Decl) string {
	f, ok := d.(*ast.FuncDecl)
	if !ok {
		return "-"
	}
	if f.Recv == nil {
		return f.Name.Name
	}
	return strings.TrimPrefix(types.ExprString(f.Recv.List[0].Type), "*") + "." + f.Name.Name
}
