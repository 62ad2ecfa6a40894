package exits

// Reason says why a process ended.
type Reason string

// The reasons, each process's end having exactly one.
const (
	// Crash: an uncaught exception, a code other than 0, or a signal that a
	// process raises against itself (SIGABRT of V8's heap limit, SIGSEGV, …).
	Crash Reason = "crash"
	// Signal: killed from outside.
	Signal Reason = "signal"
	// OOMKill: SIGKILL by the kernel, whose own counter moved.
	OOMKill Reason = "oom_kill"
	// MemoryLimit: PM2 restarted it over max_memory_restart.
	MemoryLimit Reason = "memory_limit"
	// Errored: the crash after which PM2 gave up restarting.
	Errored Reason = "errored"
	// Operator: stop, restart, delete, scale, kill or update of PM2.
	Operator Reason = "operator"
	// Reload: replaced by its successor.
	Reload Reason = "reload"
	// Watch: restarted because a watched file changed.
	Watch Reason = "watch"
	// Cron: restarted by cron_restart.
	Cron Reason = "cron"
	// Clean: it ended by itself with code 0.
	Clean Reason = "clean"
	// Unknown: it ended, and nobody can tell why.
	Unknown Reason = "unknown"
)

// Reasons lists every reason in the order of the documentation.
func Reasons() []Reason {
	return []Reason{Crash, Signal, OOMKill, MemoryLimit, Errored, Operator, Reload, Watch, Cron, Clean, Unknown}
}

// raisedByItself holds the signals that mean a fault in the program.
func raisedByItself(signal string) bool {
	switch signal {
	case "SIGABRT", "SIGSEGV", "SIGBUS", "SIGILL", "SIGFPE", "SIGTRAP", "SIGSYS":
		return true
	}
	return false
}
