package discovery

import (
	"github.com/go-kit/log"
	"github.com/go-kit/log/level"
)

// maxRejected bounds how many rejected sockets are told apart.
const maxRejected = 256

// rejections reports each socket that is no daemon once, not on every pass.
type rejections struct {
	log    log.Logger
	report func(path string, reason Reason)
	told   map[string]Reason
	now    map[string]bool // seen in this pass
	full   bool
}

func (r *rejections) begin() { r.now = map[string]bool{} }

func (r *rejections) add(path string, reason Reason, err error) {
	path = printable(path)
	if r.told == nil {
		r.told = map[string]Reason{}
	}
	before, known := r.told[path]
	if !known && len(r.told) >= maxRejected {
		if !r.full {
			r.full = true
			level.Warn(r.log).Log("msg", "more sockets named rpc.sock are no PM2 daemons than are told apart", "limit", maxRejected)
		}
		return
	}
	r.now[path] = true
	if before == reason {
		return
	}
	r.told[path] = reason
	level.Warn(r.log).Log("msg", "a listening rpc.sock is not taken for a PM2 daemon", "socket", path, "reason", string(reason), "err", err)
	r.report(path, reason)
}

// end forgets what was not seen in a complete pass.
func (r *rejections) end() {
	for path := range r.told {
		if !r.now[path] {
			delete(r.told, path)
		}
	}
	if len(r.told) < maxRejected {
		r.full = false
	}
}
