package pm2fake

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"time"
)

// drainWithin is how long a reader may leave a message in the socket.
const drainWithin = 10 * time.Second

// Publish sends a message to all who are connected.
func (d *Daemon) Publish(topic string, payload any) {
	d.PublishRaw(Frame(Text(topic), Encode(payload)))
}

// PublishRaw sends bytes to all who are connected. It fails the test when they
// are not read within 10 s: PM2 would keep them in memory.
func (d *Daemon) PublishRaw(frame []byte) {
	d.mu.Lock()
	conns := make([]net.Conn, 0, len(d.pub))
	for c := range d.pub {
		conns = append(conns, c)
	}
	d.mu.Unlock()
	for _, c := range conns {
		_ = c.SetWriteDeadline(time.Now().Add(drainWithin))
		if _, err := c.Write(frame); errors.Is(err, os.ErrDeadlineExceeded) {
			d.t.Errorf("a message of %d bytes was not read off the bus for %s", len(frame), drainWithin)
		}
	}
}

// Process is the process of a message.
func Process(name string, pmID any) map[string]any {
	return map[string]any{"pm_id": pmID, "name": name, "namespace": "default", "rev": nil}
}

// LogFrame is the message with which PM2 announces a line of its own log.
func LogFrame(line string) []byte {
	return Frame(Text("log:PM2"), Encode(map[string]any{"process": map[string]any{"pm_id": "PM2", "name": "PM2", "rev": nil}, "at": 1795343014504, "data": line + "\n"}))
}

// WriteLog appends a line to pm2.log as PM2 writes it.
func (d *Daemon) WriteLog(line string) {
	f, err := os.OpenFile(filepath.Join(d.home, "pm2.log"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		d.t.Error(err)
		return
	}
	defer f.Close()
	if _, err := fmt.Fprintf(f, "%s: PM2 log: %s\n", time.Now().Format("2006-01-02T15:04:05"), line); err != nil {
		d.t.Error(err)
	}
}

// Log writes a line to pm2.log and announces it, as PM2 does.
func (d *Daemon) Log(line string) {
	d.WriteLog(line)
	d.PublishRaw(LogFrame(line))
}

// Exited is PM2's line for the end of a process.
func Exited(name string, id, code int, signal string) string {
	return fmt.Sprintf("App [%s:%d] exited with code [%d] via signal [%s]", name, id, code, signal)
}
