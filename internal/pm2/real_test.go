package pm2

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"net"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pm25/pm25/internal/pm2/pm2fake"
	"github.com/pm25/pm25/internal/pm2test"
)

// rawAnswer sends a request and returns the bytes of the answer.
func rawAnswer(t *testing.T, conn net.Conn, req request) []byte {
	t.Helper()
	if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if err := send(conn, req); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	in := io.TeeReader(conn, &out)
	var head [4]byte
	read := func(b []byte) {
		if _, err := io.ReadFull(in, b); err != nil {
			t.Fatal(err)
		}
	}
	read(head[:1])
	for range head[0] & 0x0f {
		read(head[:])
		read(make([]byte, binary.BigEndian.Uint32(head[:])))
	}
	return out.Bytes()
}

// TestFakeAnswersLikePM2 holds the fake daemon against the real one: its frames
// are the same byte for byte, and the client takes the same from both.
func TestFakeAnswersLikePM2(t *testing.T) {
	genuine := pm2test.New(t, pm2test.Options{})
	genuine.App(t,
		pm2test.AppSpec{Name: "web 1", Namespace: "shop", Env: map[string]string{"SECRET": "canary"}},
		pm2test.AppSpec{Name: "订单\"\\", Cluster: 2, Extra: map[string]any{"max_memory_restart": "500M"}},
		pm2test.AppSpec{Name: "job", Extra: map[string]any{"cron_restart": "0 0 1 1 *", "autorestart": false}, Do: []pm2test.Cmd{{"do": "exit", "code": 3}}},
	)
	genuine.WaitStatus(t, "job", "stopped", 1)

	conn, err := net.Dial("unix", genuine.RPCSocket())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fake := pm2fake.New(t)
	fakeConn, fakePub, err := fake.Dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer fakePub.Close()
	defer fakeConn.Close()

	for _, req := range []request{requestPing, requestGetMonitorData, requestPing} {
		answer := rawAnswer(t, conn, req)
		if req == requestGetMonitorData {
			// Feed the fake what the real one said.
			argument := answer[5 : len(answer)-4-len(req.id())]
			args, begins := bytes.CutPrefix(argument, []byte(`j:{"args":[`))
			list, ends := bytes.CutSuffix(args, []byte(`]}`))
			if !begins || !ends {
				t.Fatalf("the answer is %.100q", answer)
			}
			fake.SetList(string(list))
		}
		if got := rawAnswer(t, fakeConn, req); !bytes.Equal(got, answer) {
			t.Errorf("%s: the fake answers %.200q, PM2 %.200q", req, got, answer)
		}
	}

	a, b := NewRPC(conn), NewRPC(fakeConn)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	fromReal, err := a.List(ctx)
	if err != nil {
		t.Fatal(err)
	}
	fromFake, err := b.List(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range [][]Process{fromReal, fromFake} {
		for i := range l {
			l[i].MemoryBytes = 0 // another moment
		}
	}
	if diff := cmp.Diff(fromReal, fromFake); diff != "" {
		t.Errorf("decoded (-PM2 +fake)\n%s", diff)
	}
	// And both are what PM2's own command line says.
	want, err := genuine.List(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if len(want) != 4 || len(fromReal) != len(want) {
		t.Fatalf("%d processes, want %d", len(fromReal), len(want))
	}
	for i, w := range want {
		p := fromReal[i]
		if p.Name != w.Name || p.Namespace != w.Namespace || p.PMID != w.PMID || p.PID != w.PID || p.Status != w.Status ||
			p.Restarts != int64(w.Restarts) || p.ExecMode+"_mode" != w.ExecMode || !p.StartedAt.Equal(w.Uptime) {
			t.Errorf("process %d is %+v, PM2 says %+v", i, p, w)
		}
	}
	if v, err := a.Version(ctx); err != nil || v == "" {
		t.Errorf("version %q, %v", v, err)
	}
}
