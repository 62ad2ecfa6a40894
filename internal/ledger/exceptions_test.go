package ledger

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/pm25/pm25/internal/pm2"
)

// story tells a ledger of exceptions.
type story struct {
	t *testing.T
	l *Ledger
}

func (s story) pm2(retired bool) {
	s.l.Event(&pm2.Event{Kind: pm2.EventException, Name: "web", Namespace: "default", Retired: retired}, noon)
}

func (s story) ext(p *teller, uncaught, rejections, handled uint64) {
	s.t.Helper()
	ev := p.says(true, nil)
	ev.Report.Exceptions = &[4]uint64{uncaught, rejections, handled, 0}
	s.l.take(s.t, ev)
}

func (s story) lifecycle(word, status string, second int) {
	s.l.Event(&pm2.Event{Kind: pm2.EventLifecycle, Lifecycle: word, Status: status, Name: "web", Namespace: "default", At: noon.Add(time.Duration(second) * time.Second)}, noon)
}

func at(second int) *teller { return tell(100+second, noon.Add(time.Duration(second)*time.Second)) }

func TestExceptionsOfBothSides(t *testing.T) {
	for name, c := range map[string]struct {
		tell func(s story)
		want [2]uint64 // handled, not
	}{
		"PM2 alone": {func(s story) { s.pm2(false); s.pm2(false) }, [2]uint64{0, 2}},
		"ext alone": {func(s story) { s.ext(at(1), 1, 2, 4) }, [2]uint64{4, 3}},
		"PM2 first": {func(s story) { s.pm2(false); s.ext(at(1), 1, 0, 0) }, [2]uint64{0, 1}},
		"ext first": {func(s story) { s.ext(at(1), 0, 1, 0); s.pm2(false) }, [2]uint64{0, 1}},
		"ext has more": {func(s story) {
			p := at(1)
			s.pm2(false)
			s.ext(p, 3, 0, 0)
			s.pm2(false)
			s.ext(p, 4, 0, 0)
		}, [2]uint64{0, 4}},
		"a crash, and the next": {func(s story) {
			s.pm2(false)
			s.ext(at(1), 1, 0, 0)
			s.lifecycle("exit", "stopped", 10)
			s.lifecycle("online", "online", 11)
			s.pm2(false)
			s.ext(at(10), 1, 0, 0)
			s.lifecycle("exit", "stopped", 20)
			s.lifecycle("online", "online", 21)
			s.pm2(false)
		}, [2]uint64{0, 3}},
		"the last word comes late": {func(s story) {
			p := at(1)
			s.ext(p, 0, 0, 0)
			s.pm2(false)
			s.lifecycle("exit", "stopped", 10)
			s.lifecycle("online", "online", 11)
			s.ext(p, 1, 0, 0)
			s.ext(at(10), 0, 0, 0)
		}, [2]uint64{0, 1}},
		"a crash before the first report": {func(s story) {
			s.ext(at(1), 0, 0, 0)
			s.lifecycle("exit", "stopped", 10)
			s.lifecycle("online", "online", 11)
			s.pm2(false)
			s.ext(at(10), 1, 0, 0)
		}, [2]uint64{0, 1}},
		"an end before its cause": {func(s story) {
			s.ext(at(1), 1, 0, 0)
			s.lifecycle("exit", "stopped", 10)
			s.pm2(false)
			s.lifecycle("online", "online", 11)
			s.pm2(false)
			s.ext(at(10), 1, 0, 0)
		}, [2]uint64{0, 2}},
		"online after the first report": {func(s story) {
			p := at(2)
			s.ext(p, 0, 0, 0)
			s.l.Event(&pm2.Event{
				Kind: pm2.EventLifecycle, Lifecycle: "online", Status: "online", Name: "web", Namespace: "default",
				At: noon.Add(9 * time.Second), Life: &pm2.Life{StartedAt: noon.Add(time.Second)},
			}, noon)
			s.pm2(false)
			s.ext(p, 0, 1, 0)
		}, [2]uint64{0, 1}},
		"a stop on request": {func(s story) {
			p := at(1)
			s.ext(p, 0, 0, 0)
			s.lifecycle("exit", "stopping", 10)
			s.pm2(false)
			s.lifecycle("exit", "stopped", 11)
			s.ext(p, 1, 0, 0)
		}, [2]uint64{0, 1}},
		"a reload": {func(s story) {
			old, young := at(1), at(100)
			s.ext(old, 0, 0, 0)
			s.lifecycle("online", "online", 101)
			s.ext(young, 0, 0, 0)
			s.pm2(true)
			s.pm2(false)
			s.ext(old, 1, 0, 0)
			s.ext(young, 1, 0, 0)
		}, [2]uint64{0, 2}},
		"after a reload": {func(s story) {
			young := at(100)
			s.ext(at(1), 0, 0, 0)
			s.lifecycle("online", "online", 101)
			s.ext(young, 0, 0, 0)
			s.l.Event(&pm2.Event{Kind: pm2.EventLifecycle, Lifecycle: "exit", Status: "stopped", Retired: true, Name: "web", Namespace: "default", At: noon.Add(102 * time.Second)}, noon)
			s.pm2(false)
			s.ext(young, 1, 0, 0)
		}, [2]uint64{0, 1}},
		"a reload that waits for ready": {func(s story) {
			old, young := at(1), at(100)
			s.ext(old, 0, 0, 0)
			s.ext(young, 0, 0, 0)
			s.pm2(false)
			s.lifecycle("online", "online", 130)
			s.ext(young, 1, 0, 0)
			s.pm2(false)
			s.ext(young, 2, 0, 0)
		}, [2]uint64{0, 2}},
		"of before our time": {func(s story) {
			p := at(-100)
			s.ext(p, 50, 0, 7)
			s.pm2(false)
			s.ext(p, 51, 0, 8)
		}, [2]uint64{1, 1}},
		"over a restart of the agent": {func(s story) {
			p := at(1)
			s.pm2(false)
			s.ext(p, 2, 0, 1)
			*s.l = *again(s.t, s.l)
			s.pm2(false)
			s.ext(p, 3, 0, 1)
		}, [2]uint64{1, 3}},
	} {
		t.Run(name, func(t *testing.T) {
			s := story{t, New(noon)}
			s.l.Apply([]pm2.Process{web(0)}, noon)
			c.tell(s)
			if got := s.l.App(webKey().AppKey).Exceptions; got != c.want {
				t.Errorf("handled and not: %v, want %v", got, c.want)
			}
		})
	}
}

// TestExceptionsInAnyOrder: each exception counts once, whichever side is
// ahead of the other and whatever is lost on the way.
func TestExceptionsInAnyOrder(t *testing.T) {
	for seed := range uint64(200) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		s := story{t, New(noon)}
		s.l.Apply([]pm2.Process{web(0)}, noon)
		want := uint64(0)
		for life := range 20 {
			p := at(1 + life*100)
			n := rnd.Uint64N(5)
			want += n
			byPM2, byExt := n, rnd.Uint64N(n+1)
			if rnd.IntN(2) == 0 {
				byPM2, byExt = byExt, byPM2
			}
			s.ext(p, 0, 0, 0)
			for told := uint64(0); byPM2 > 0 || told < byExt; {
				if byPM2 > 0 && rnd.IntN(2) == 0 {
					byPM2--
					s.pm2(false)
				} else if told < byExt {
					told++
					s.ext(p, told, 0, 0)
				}
			}
			s.lifecycle("exit", "stopped", 1+life*100+50)
			s.lifecycle("online", "online", 1+life*100+51)
		}
		if got := s.l.App(webKey().AppKey).Exceptions[1]; got != want {
			t.Fatalf("seed %d: %d exceptions, want %d", seed, got, want)
		}
	}
}
