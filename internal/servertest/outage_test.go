package servertest

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/pm25/pm25/internal/api"
	"github.com/pm25/pm25/internal/pm2test"
	"github.com/pm25/pm25/internal/proctest"
)

const crashes = 5

// crasher throws in each of its first lives, some time after it began.
const crasher = `
const fs = require('fs')
fs.appendFileSync(process.env.LIVES, 'x')
console.log('life', fs.statSync(process.env.LIVES).size)
if (fs.statSync(process.env.LIVES).size <= %d) setTimeout(() => { throw new TypeError('out of stock') }, %d)
setInterval(() => {}, 1000)
`

// TestOutage: crashes while the server is away, and the agent is started anew.
func TestOutage(t *testing.T) {
	t.Parallel()
	o := newOutage(t, 500*time.Millisecond)
	o.server.Kill()
	o.crash(time.Minute)
	if code := o.agent.Stop(t, syscall.SIGTERM); code != 0 { // which records what waits for the end of its minute
		t.Errorf("the agent ended with %d", code)
	}
	o.startAgent()
	o.server.Again()
	o.server.Ready()
	o.arrive(2) // the first of a minute, and one that stands for the others
	o.stop()
}

// outage is an app under the real PM2, an agent, and a server that goes away.
type outage struct {
	t      *testing.T
	daemon *pm2test.Daemon
	server *Server
	agent  *proctest.Process
	args   []string
	lives  string
	every  time.Duration
}

func newOutage(t *testing.T, every time.Duration) *outage {
	o := &outage{t: t, daemon: pm2test.New(t, pm2test.Options{}), server: start(t), lives: filepath.Join(t.TempDir(), "lives"), every: every}
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte(o.server.Bucket("shop")), 0o600); err != nil {
		t.Fatal(err)
	}
	o.args = []string{"--pm2.home=shop=" + o.daemon.Home(), "--state.dir=" + t.TempDir(), "--server.url=" + o.server.URL, "--server.token-file=" + token, "--host.name=web-07"}
	o.startAgent()
	return o
}

func (o *outage) startAgent() {
	o.t.Helper()
	address := fmt.Sprintf("127.0.0.1:%d", pm2test.FreePort(o.t))
	o.agent = proctest.Start(o.t, nil, programs.Program(o.t, "pm25-agent"), append([]string{"--web.listen-address=" + address}, o.args...)...)
	pm2test.Eventually(o.t, 30*time.Second, func() error {
		res, err := http.Get("http://" + address + "/-/ready")
		if err == nil {
			res.Body.Close()
		}
		return err
	})
}

// crash starts the app and returns when it has thrown for the last time.
func (o *outage) crash(within time.Duration) {
	o.t.Helper()
	script := filepath.Join(o.t.TempDir(), "crasher.js")
	if err := os.WriteFile(script, fmt.Appendf(nil, crasher, crashes, o.every.Milliseconds()), 0o600); err != nil {
		o.t.Fatal(err)
	}
	// It may crash at once as often as it likes.
	o.daemon.App(o.t, pm2test.AppSpec{Name: "web", Script: script, Namespace: "prod", Env: map[string]string{"LIVES": o.lives}, Extra: map[string]any{"max_restarts": 100}})
	pm2test.Eventually(o.t, within, func() error {
		if info, err := os.Stat(o.lives); err != nil || info.Size() <= crashes {
			return fmt.Errorf("it lives for the %v. time: %w", info, err)
		}
		return nil
	})
	o.daemon.WaitStatus(o.t, "web", "online", 1)
}

// arrive waits for the exceptions, in so many records, and for one end each,
// and makes sure that it stays at that.
func (o *outage) arrive(records int) {
	o.t.Helper()
	pm2test.Eventually(o.t, time.Minute, func() error { return o.compare(records) })
	time.Sleep(3 * time.Second)
	if err := o.compare(records); err != nil {
		o.t.Error(err)
	}
}

func (o *outage) compare(records int) error {
	groups := fetched[api.Groups](o.t, o.server, "/api/v1/exceptions?bucket=shop").Groups
	if len(groups) != 1 || groups[0].Count != crashes || groups[0].Namespace != "prod" {
		return fmt.Errorf("groups: %+v", groups)
	}
	ended := 0
	runs := fetched[[]api.Run](o.t, o.server, "/api/v1/runs?app=web")
	for _, run := range runs {
		if run.Reason == "crash" {
			ended++
		}
	}
	if n, stand := o.recorded("exit"); ended != crashes || n != crashes || stand != crashes {
		return fmt.Errorf("%d ends that stand for %d, %d runs that crashed: %+v", n, stand, ended, runs)
	}
	if n, stand := o.recorded("exception"); n != records || stand != crashes {
		return fmt.Errorf("%d exceptions that stand for %d", n, stand)
	}
	return nil
}

// recorded counts the records of a kind, and how many they stand for.
func (o *outage) recorded(kind string) (records, stand int) {
	o.t.Helper()
	query := url.Values{"query": {`sum by (occurrences) (count_over_time({bucket="shop", kind="` + kind + `"}[1h]))`}, "time": {strconv.FormatInt(time.Now().UnixNano(), 10)}}
	answer := fetched[struct {
		Result []struct {
			Metric map[string]string
			Value  [2]any
		}
	}](o.t, o.server, "/loki/api/v1/query?"+query.Encode())
	for _, series := range answer.Result {
		n, err := strconv.Atoi(fmt.Sprint(series.Value[1]))
		times := 1 // where the label is missing
		if text := series.Metric["occurrences"]; err == nil && text != "" {
			times, err = strconv.Atoi(text)
		}
		if err != nil {
			o.t.Fatal(err)
		}
		records += n
		stand += n * times
	}
	return records, stand
}

func (o *outage) stop() {
	o.t.Helper()
	if code := o.agent.Stop(o.t, syscall.SIGTERM); code != 0 {
		o.t.Errorf("the agent ended with %d", code)
	}
	o.server.Stop()
}
