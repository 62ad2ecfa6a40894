package matrix

import (
	"syscall"

	"github.com/pm25/pm25/internal/pm2test"
)

const (
	fork    = "fork"
	cluster = "cluster"
)

// event is one thing that happens to an app, and what comes of it.
type event struct {
	name string
	mode string
	act  *action
	// live and away are the reasons that pm2_app_exits_total counts, such as
	// "crash 1"; "" is none. away holds for a log that was rotated too.
	live, away string
	// restarts is what pm2_process_restarts_total, and PM2's own count, grow by.
	restarts int
	note     string
}

const (
	noteCode0   = "PM2's log gives code 0 and no signal both for a worker that threw and for one that left with code 0; only the bus, live, tells the two apart."
	noteSIGINT  = "PM2 writes `SIGINT` where there was no signal, so SIGINT from outside looks like an exit with code 0."
	noteKill9   = "Nobody wrote down how these processes ended."
	noteKernel  = "`oom_kill` where the kernel's count of out-of-memory kills moved, `unknown` where it cannot be read, or moved while the agent was away."
	noteStopped = "PM2's count does not move when a stopped app is started."
	noteTwo     = "The app has two workers."
	noteReset   = "PM2's own count falls to 0; the counters stay."
	noteOver    = "`max_restarts` 3: two crashes that PM2 answers with a restart, and the one that makes it give up."
)

var (
	throw     = tell(pm2test.Cmd{"do": "throw"})
	reject    = tell(pm2test.Cmd{"do": "reject"})
	exit0     = tell(pm2test.Cmd{"do": "exit0"})
	exit3     = tell(pm2test.Cmd{"do": "exit3"})
	heap      = &action{nodeArgs: []string{"--max-old-space-size=30"}, run: tell(pm2test.Cmd{"do": "oom"}).run}
	sigkill   = signal(syscall.SIGKILL)
	sigterm   = signal(syscall.SIGTERM)
	sigint    = signal(syscall.SIGINT)
	memory    = &action{extra: map[string]any{"max_memory_restart": "150M", "listen_timeout": 500}, run: tell(pm2test.Cmd{"do": "leak", "mb": 200}).run}
	cronJob   = &action{cron: true}
	watched   = &action{watch: true, run: touch}
	restart   = &action{processes: 2, run: cli(all, "restart").run}
	reload    = &action{processes: 2, extra: map[string]any{"listen_timeout": 500}, run: cli(each, "reload").run}
	stop      = cli(all, "stop")
	start     = &action{stopped: true, run: cli(all, "start").run}
	remove    = &action{run: removeAndStart}
	scaleUp   = &action{run: scale("2"), processes: 1}
	scaleDown = &action{run: scale("1"), processes: 2}
	reset     = &action{restarted: true, resets: true, run: cli(each, "reset").run}
	overlimit = &action{loops: true, run: startLoops}

	update     = &action{daemon: true, resets: true, processes: 2, run: updatePM2}
	killPM2    = &action{daemon: true, resets: true, processes: 2, run: killAndResurrect}
	kill9PM2   = &action{daemon: true, resets: true, processes: 2, run: kill9AndResurrect}
	sigtermPM2 = &action{daemon: true, resets: true, processes: 2, run: sigtermAndResurrect}
)

// events is what is expected of every PM2.
var events = []event{
	{"uncaught exception", fork, throw, "crash 1", "crash 1", 1, ""},
	{"uncaught exception", cluster, throw, "crash 1", "unknown 1", 1, noteCode0},
	{"unhandled rejection (the app lives on)", fork, reject, "", "", 0, ""},
	{"unhandled rejection (the app lives on)", cluster, reject, "", "", 0, ""},
	{"exit with code 0", fork, exit0, "clean 1", "clean 1", 1, ""},
	{"exit with code 0", cluster, exit0, "clean 1", "unknown 1", 1, noteCode0},
	{"exit with code 3", fork, exit3, "crash 1", "crash 1", 1, ""},
	{"exit with code 3", cluster, exit3, "crash 1", "crash 1", 1, ""},
	{"SIGKILL from outside", fork, sigkill, "signal 1", "signal 1", 1, noteKernel},
	{"SIGKILL from outside", cluster, sigkill, "signal 1", "signal 1", 1, noteKernel},
	{"SIGTERM from outside", fork, sigterm, "signal 1", "signal 1", 1, ""},
	{"SIGTERM from outside", cluster, sigterm, "signal 1", "signal 1", 1, ""},
	{"SIGINT from outside", fork, sigint, "clean 1", "clean 1", 1, noteSIGINT},
	{"SIGINT from outside", cluster, sigint, "clean 1", "unknown 1", 1, noteSIGINT},
	{"V8's heap limit", fork, heap, "crash 1", "crash 1", 1, ""},
	{"V8's heap limit", cluster, heap, "crash 1", "crash 1", 1, ""},
	{"max_memory_restart", fork, memory, "memory_limit 1", "memory_limit 1", 1, ""},
	{"max_memory_restart", cluster, memory, "memory_limit 1", "memory_limit 1", 1, ""},
	{"cron_restart", fork, cronJob, "cron 1", "cron 1", 1, ""},
	{"cron_restart", cluster, cronJob, "cron 1", "cron 1", 1, ""},
	{"watch", fork, watched, "watch 1", "watch 1", 1, ""},
	{"watch", cluster, watched, "watch 1", "watch 1", 1, ""},
	{"pm2 restart", fork, restart, "operator 1", "operator 1", 1, ""},
	{"pm2 restart", cluster, restart, "operator 2", "operator 2", 2, noteTwo},
	{"pm2 reload", fork, reload, "reload 1", "reload 1", 1, ""},
	{"pm2 reload", cluster, reload, "reload 2", "reload 2", 2, noteTwo},
	{"pm2 stop", fork, stop, "operator 1", "operator 1", 0, ""},
	{"pm2 stop", cluster, stop, "operator 1", "operator 1", 0, ""},
	{"pm2 start of a stopped app", fork, start, "", "", 0, noteStopped},
	{"pm2 start of a stopped app", cluster, start, "", "", 0, noteStopped},
	{"pm2 delete, and started anew", fork, remove, "operator 1", "operator 1", 0, ""},
	{"pm2 delete, and started anew", cluster, remove, "operator 1", "operator 1", 0, ""},
	{"pm2 scale up, 1 to 2", fork, scaleUp, "", "", 0, ""},
	{"pm2 scale up, 1 to 2", cluster, scaleUp, "", "", 0, ""},
	{"pm2 scale down, 2 to 1", cluster, scaleDown, "operator 1", "operator 1", 0, ""},
	{"pm2 reset", fork, reset, "", "", 0, noteReset},
	{"pm2 reset", cluster, reset, "", "", 0, noteReset},
	{"crash loop, given up", fork, overlimit, "crash 2, errored 1", "crash 2, errored 1", 2, noteOver},
	{"crash loop, given up", cluster, overlimit, "crash 2, errored 1", "unknown 2, errored 1", 2, noteOver},

	{"pm2 update", fork, update, "operator 1", "operator 1", 0, ""},
	{"pm2 update", cluster, update, "operator 2", "operator 2", 0, noteTwo},
	{"pm2 kill, resurrect", fork, killPM2, "operator 1", "operator 1", 0, ""},
	{"pm2 kill, resurrect", cluster, killPM2, "operator 2", "operator 2", 0, noteTwo},
	{"SIGTERM of the daemon, resurrect", fork, sigtermPM2, "operator 1", "operator 1", 0, ""},
	{"SIGTERM of the daemon, resurrect", cluster, sigtermPM2, "operator 2", "operator 2", 0, noteTwo},
	{"kill -9 of the daemon, resurrect", fork, kill9PM2, "unknown 1", "unknown 1", 0, noteKill9},
	{"kill -9 of the daemon, resurrect", cluster, kill9PM2, "unknown 2", "unknown 2", 0, noteKill9 + " " + noteTwo},
}

// way is how the agent spends the event.
type way struct {
	name string
	away bool
	// rotate is for before and after the event; keep says whether the copy
	// stays.
	rotate, keep bool
}

var (
	live    = way{name: "live"}
	away    = way{name: "away", away: true}
	rotated = way{name: "rotated", away: true, rotate: true, keep: true}
	lost    = way{name: "lost", away: true, rotate: true}
)

// want is what an event comes to: the reasons counted.
func (e *event) want(w way) reasons {
	switch {
	case !w.away:
		return parseReasons(e.live)
	case w == lost && e.restarts > 0:
		// Only PM2's count of restarts is left to tell.
		return reasons{"unknown": e.restarts}
	case w == lost:
		return reasons{}
	}
	return parseReasons(e.away)
}
