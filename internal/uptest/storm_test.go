package uptest

import "testing"

// TestStorm is a storm in small: all is told once, in few messages, but for what a
// host that is down explains.
func TestStorm(t *testing.T) {
	t.Parallel()
	hook := NewWebhook(t)
	u := Start(t, Options{Program: programs.Program(t, "pm25"), Webhook: hook.URL})
	r := Storm{Hosts: 10, Apps: 5, Down: 4}.Run(t, u, hook)
	if r.Sent != 54 || r.Inhibited != 20 || r.Delivered != 34 || r.Twice > 0 || r.Requests > 12 {
		t.Errorf("%+v", r)
	}
	u.Stop()
}
