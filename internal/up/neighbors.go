package up

import (
	"context"
	"maps"
	"net"
	"os"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/pm25/pm25/internal/claim"
	"github.com/pm25/pm25/internal/memnet"
	"github.com/pm25/pm25/internal/pm2/discovery"
)

// claimTimeout bounds the question who watches a daemon, over a local socket.
const claimTimeout = time.Second

// neighbors are the pm25-agents of this host: their daemons are left to them,
// and their metrics taken over their claim, whatever protects their port.
type neighbors struct {
	network *memnet.Network
	changed chan struct{} // one is waiting when the targets changed

	mu      sync.Mutex
	holders map[string]int // who watches a daemon, by its label: a pid
}

func newNeighbors(network *memnet.Network) *neighbors {
	return &neighbors{network: network, changed: make(chan struct{}, 1), holders: map[string]int{}}
}

// yield tells whether an agent watches the daemon.
func (n *neighbors) yield(c discovery.Candidate) bool {
	ctx, cancel := context.WithTimeout(context.Background(), claimTimeout)
	defer cancel()
	conn, pid, err := claim.Dial(ctx, c)
	if err == nil {
		conn.Close()
	}
	if err != nil || pid == os.Getpid() {
		pid = 0
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.holders[c.Label] == pid {
		return pid != 0
	}
	delete(n.holders, c.Label)
	if pid != 0 {
		n.holders[c.Label] = pid
		n.network.Handle(hostOf(pid), func(ctx context.Context) (net.Conn, error) {
			conn, _, err := claim.Dial(ctx, c)
			return conn, err
		})
	}
	select {
	case n.changed <- struct{}{}:
	default:
	}
	return pid != 0
}

func hostOf(pid int) string { return agentHost + "-" + strconv.Itoa(pid) }

// targets lists one target for each agent, named after the first daemon that it
// watches, which outlives the agent's pid.
func (n *neighbors) targets(host string) []target {
	n.mu.Lock()
	defer n.mu.Unlock()
	var out []target
	seen := map[int]bool{}
	for _, label := range slices.Sorted(maps.Keys(n.holders)) {
		pid := n.holders[label]
		if seen[pid] {
			continue
		}
		seen[pid] = true
		out = append(out, target{
			Targets: []string{hostOf(pid) + memnet.Suffix + ":80"},
			Labels:  map[string]string{"host": host, "instance": host + "/" + label},
		})
	}
	return out
}
