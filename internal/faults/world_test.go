//go:build faults

package faults

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pm25/pm25/internal/badnet"
	"github.com/pm25/pm25/internal/pm2test"
	"github.com/pm25/pm25/internal/proctest"
	"github.com/pm25/pm25/sessionstore"
	"github.com/pm25/pm25/sessionstore/sqlite"
)

const diskSize = 128 << 20

// world is a server, an agent's shipper and the network between them, each on a
// disk of its own where that is allowed.
type world struct {
	t         *testing.T
	address   string // of the server
	network   *badnet.Network
	serverDir string // disks
	agentDir  string
	disks     bool // they can be filled
	token     string
	book      string

	counted  map[string]uint64 // by title, up to the last round
	server   *proctest.Process
	producer *producer
}

type producer struct {
	cmd   *exec.Cmd
	input io.Closer
	ended chan error
	log   *os.File
}

func newWorld(t *testing.T) *world {
	w := &world{t: t, counted: map[string]uint64{}, address: freeAddress(t), serverDir: t.TempDir(), agentDir: t.TempDir(), book: filepath.Join(t.TempDir(), "book")}
	w.disks = mount(t, w.serverDir) && mount(t, w.agentDir)
	w.token = filepath.Join(w.serverDir, "token")
	w.network = badnet.New(t, w.address)
	w.startServer()
	out, err := exec.Command(programs.Program(t, "pm25"), "bucket", "create", "shop", "--server.url=http://"+w.address, "--data.dir="+w.data(), "--out="+w.token).CombinedOutput()
	if err != nil {
		t.Fatalf("making a bucket: %v: %s", err, out)
	}
	return w
}

func (w *world) data() string  { return filepath.Join(w.serverDir, "data") }
func (w *world) spool() string { return filepath.Join(w.agentDir, "spool") }

func freeAddress(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// mount makes a folder a small disk; false where only root may.
func mount(t *testing.T, dir string) bool {
	err := syscall.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%d,mode=0700", diskSize))
	if errors.Is(err, syscall.EPERM) {
		return false
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	return true
}

func (w *world) startServer() {
	w.t.Helper()
	w.server = proctest.Start(w.t, nil, programs.Program(w.t, "pm25"), "server", "--data.dir="+w.data(), "--web.listen-address="+w.address, "--push.max-records-per-second=-1")
	pm2test.Eventually(w.t, 20*time.Second, func() error {
		if w.server.Ended() {
			return errors.New("the server has ended")
		}
		r, err := http.Get("http://" + w.address + "/-/ready")
		if err != nil {
			return err
		}
		defer r.Body.Close()
		if r.StatusCode != http.StatusOK {
			return errors.New(r.Status)
		}
		return nil
	})
}

func (w *world) startProducer() {
	w.t.Helper()
	log, err := os.OpenFile(filepath.Join(w.t.ArtifactDir(), "producer.log"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		w.t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "PM25_FAULTS_SPOOL="+w.spool(), "PM25_FAULTS_URL="+w.network.URL(), "PM25_FAULTS_TOKEN="+w.token, "PM25_FAULTS_BOOK="+w.book)
	cmd.Stderr = log
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	input, err := cmd.StdinPipe()
	if err != nil {
		w.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
	p := &producer{cmd: cmd, input: input, ended: make(chan error, 1), log: log}
	go func() { p.ended <- cmd.Wait() }()
	w.producer = p
}

func (w *world) killProducer() {
	_ = w.producer.cmd.Process.Kill()
	<-w.producer.ended
	w.producer.log.Close()
}

// drain lets the producer send what it has, and end.
func (w *world) drain() {
	w.t.Helper()
	w.producer.input.Close()
	select {
	case err := <-w.producer.ended:
		w.producer.log.Close()
		if err != nil {
			text, _ := os.ReadFile(w.producer.log.Name())
			w.t.Fatalf("the producer: %v: %s", err, text[max(0, len(text)-3000):])
		}
	case <-time.After(2 * time.Minute):
		text, _ := os.ReadFile(w.producer.log.Name())
		w.killProducer()
		w.t.Fatalf("after two minutes the server has not all: %s", text[max(0, len(text)-3000):])
	}
}

// noted is what the book says of a record.
type noted struct {
	count        uint64
	bug          int
	acknowledged bool
}

func (w *world) readBook() map[string]noted {
	w.t.Helper()
	f, err := os.Open(w.book)
	if err != nil {
		w.t.Fatal(err)
	}
	defer f.Close()
	out := map[string]noted{}
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var mark, id string
		var n noted
		if _, err := fmt.Sscanf(strings.Replace(lines.Text(), " ", " ", 1), "%1s %s %d %d", &mark, &id, &n.count, &n.bug); err != nil {
			w.t.Fatalf("the book: %q: %v", lines.Text(), err)
		}
		n.acknowledged = mark == "!" || out[id].acknowledged
		out[id] = n
	}
	return out
}

// inspect opens the store while no server runs.
func (w *world) inspect(look func(s *sqlite.Store)) {
	w.t.Helper()
	if code := w.server.Stop(w.t, syscall.SIGTERM); code != 0 {
		w.t.Fatalf("the server ended with %d", code)
	}
	s, err := sqlite.Open(sqlite.Options{Path: w.storeFile(), Logger: slog.New(slog.DiscardHandler), Now: time.Now})
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			w.t.Error(err)
		}
	}()
	look(s)
}

func (w *world) storeFile() string {
	found, err := filepath.Glob(filepath.Join(w.data(), "store", "*.db"))
	if err != nil || len(found) != 1 {
		w.t.Fatalf("the store's file: %v, %v", found, err)
	}
	return found[0]
}

// everything selects all records since a moment.
func everything(since time.Time) sessionstore.Selection {
	return sessionstore.Selection{Start: since.UnixNano(), End: 1 << 62}
}
