package uptest

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/pm25/pm25/internal/api"
	"github.com/pm25/pm25/internal/pm2test"
)

// TestKeepsExceptions: an app of this host throws, with nothing set up; the group
// is there with its stack and the run that it ended, and Loki's API tells of it.
func TestKeepsExceptions(t *testing.T) {
	t.Parallel()
	d := pm2test.New(t, pm2test.Options{})
	u := Start(t, Options{Program: programs.Program(t, "pm25"), Homes: []string{"shop=" + d.Home()}, Args: []string{"--host.name=web-01"}})
	u.WaitValue(20*time.Second, 1, `pm2_up{daemon="shop"}`)
	d.App(t, pm2test.AppSpec{Name: "payments", Do: []pm2test.Cmd{{"do": "throw", "after": 1500}}})

	var group api.Group
	pm2test.Eventually(t, time.Minute, func() error {
		var answer api.Answer[api.Groups]
		if err := u.json("/api/v1/exceptions?app=payments&bucket=local", &answer); err != nil {
			return err
		}
		if len(answer.Data.Groups) != 1 {
			return fmt.Errorf("%d groups", len(answer.Data.Groups))
		}
		group = answer.Data.Groups[0]
		return nil
	})
	if group.State != "new" || group.Hosts[0] != "web-01" || group.Handled {
		t.Errorf("%+v", group)
	}
	var details api.Answer[api.GroupDetails]
	pm2test.Eventually(t, time.Minute, func() error {
		if err := u.json("/api/v1/exceptions/"+group.ID, &details); err != nil {
			return err
		}
		for _, run := range details.Data.Runs {
			if run.Reason == "crash" && run.Exceptions > 0 {
				return nil
			}
		}
		return fmt.Errorf("no run that crashed: %+v", details.Data.Runs)
	})
	if samples := details.Data.Samples; len(samples) == 0 || samples[0].Exception == nil || !strings.Contains(samples[0].Exception.Stack, "\n    at ") {
		t.Errorf("no stack: %+v", samples)
	}
	pm2test.Eventually(t, 20*time.Second, func() error {
		_, body, err := u.Get("/loki/api/v1/query_range?query=" + url.QueryEscape(`{app="payments", kind="exit"} | reason="crash"`))
		if err == nil && !strings.Contains(body, "exited: crash") {
			err = fmt.Errorf("Loki's API tells of no crash: %.300s", body)
		}
		return err
	})
	u.WaitValue(time.Minute, 1, fmt.Sprintf(`count(pm25_server_new_exception_group_info{app="payments",group=%q,state="new"})`, group.ID))
	u.Stop()
}

// json reads what a path answers.
func (u *Up) json(path string, into any) error {
	if err := u.ok(path); err != nil {
		return err
	}
	_, body, err := u.Get(path)
	if err != nil {
		return err
	}
	if err := json.Unmarshal([]byte(body), into); err != nil {
		return fmt.Errorf("%w: %.200s", err, body)
	}
	return nil
}
