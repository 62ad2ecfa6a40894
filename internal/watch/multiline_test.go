package watch

import (
	"testing"
	"time"

	"github.com/pm25/pm25/internal/pm2/pm2fake"
)

// TestErrorThatTheBusHasWithItsStack: PM2 writes an error object to its log
// without the stack that the bus has, so the file never shows what the bus
// announced. What is read meanwhile must not count again when it is announced.
func TestErrorThatTheBusHasWithItsStack(t *testing.T) {
	bubble(t, func(t *testing.T, d *pm2fake.Daemon) {
		w := follow(t, d, nil)
		pass(time.Second)
		d.PublishRaw(pm2fake.LogFrame("Error [ERR_STREAM_DESTROYED]: write after destroy\n    at Socket.write\n"))
		d.WriteLog("Error [ERR_STREAM_DESTROYED]: write after destroy")
		pass(100 * time.Millisecond)
		d.WriteLog(crash(0))
		d.WriteLog(begin(0))
		d.Publish("log:out", map[string]any{"process": pm2fake.Process("app1", 1), "data": "x\n"})
		pass(10 * time.Millisecond)
		d.PublishRaw(pm2fake.LogFrame(crash(0)))
		d.PublishRaw(pm2fake.LogFrame(begin(0)))
		pass(5 * time.Second)
		w.wantExits(t, "after an error with a stack", 1)
	})
}
