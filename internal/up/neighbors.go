package up

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"maps"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/pm25/pm25/internal/claim"
	"github.com/pm25/pm25/internal/memnet"
	"github.com/pm25/pm25/internal/pm2/discovery"
)

const (
	// claimTimeout bounds the question who watches a daemon, over a local socket.
	claimTimeout = 2 * time.Second
	// heldFor is how long an answer counts: some passes over the daemons.
	heldFor = time.Minute
	// localPath lists the agents of this host, in the format of http_sd.
	localPath = "/local"
	// pushedPath lists those that push, in the same format.
	pushedPath = "/pushed"
)

// neighbors are the pm25-agents of this host: their daemons are left to them,
// and their metrics taken over their claims, whatever protects their port.
type neighbors struct {
	network *memnet.Network
	host    string // name of this machine
	now     func() time.Time

	mu      sync.Mutex
	daemons map[string]held // by label
}

// held is a daemon that an agent watches.
type held struct {
	candidate discovery.Candidate
	agent     string // its name on the network in memory
	seen      time.Time
}

func newNeighbors(network *memnet.Network, host string, now func() time.Time) *neighbors {
	return &neighbors{network: network, host: host, now: now, daemons: map[string]held{}}
}

// yield tells whether an agent watches the daemon, and answers.
func (n *neighbors) yield(c discovery.Candidate) bool {
	agent, err := ask(c)
	n.mu.Lock()
	defer n.mu.Unlock()
	if err != nil {
		delete(n.daemons, c.Label)
		return false
	}
	n.daemons[c.Label] = held{candidate: c, agent: agent, seen: n.now()}
	n.network.Handle(agent, func(ctx context.Context) (net.Conn, error) { return n.dial(ctx, agent) })
	return true
}

// ask returns the name of the agent that claims a daemon.
func ask(c discovery.Candidate) (agent string, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), claimTimeout)
	defer cancel()
	conn, pid, err := claim.Dial(ctx, c)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	if pid == os.Getpid() {
		return "", errors.New("it is this process")
	}
	if err := conn.SetDeadline(time.Now().Add(claimTimeout)); err != nil {
		return "", err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://agent/-/healthy", nil)
	if err != nil {
		return "", err
	}
	if err := r.Write(conn); err != nil {
		return "", err
	}
	answer, err := http.ReadResponse(bufio.NewReader(conn), r)
	if err != nil {
		return "", err // it hangs
	}
	answer.Body.Close()
	return nameOf(pid, c.Label), nil
}

// nameOf names an agent: by its pid, or where that can not be seen by its
// daemon.
func nameOf(pid int, label string) string {
	if pid > 0 {
		return agentHost + "-" + strconv.Itoa(pid)
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(label)) // a hash takes all
	return agentHost + "-x" + strconv.FormatUint(h.Sum64(), 36)
}

// dial connects to an agent over any of its claims.
func (n *neighbors) dial(ctx context.Context, agent string) (net.Conn, error) {
	err := fmt.Errorf("%s claims no daemon any more", agent)
	for _, c := range n.claims()[agent] {
		conn, _, dialErr := claim.Dial(ctx, c)
		if dialErr == nil {
			return conn, nil
		}
		err = dialErr
	}
	return nil, err
}

// claims lists what each agent watches, in order, and forgets what nobody has
// asked about for a while.
func (n *neighbors) claims() map[string][]discovery.Candidate {
	n.mu.Lock()
	defer n.mu.Unlock()
	out := map[string][]discovery.Candidate{}
	gone := map[string]bool{}
	for _, label := range slices.Sorted(maps.Keys(n.daemons)) {
		h := n.daemons[label]
		if n.now().Sub(h.seen) > heldFor {
			delete(n.daemons, label)
			gone[h.agent] = true
			continue
		}
		out[h.agent] = append(out[h.agent], h.candidate)
	}
	for agent := range gone {
		if out[agent] == nil {
			n.network.Handle(agent, nil)
		}
	}
	return out
}

// targets lists the agents of this host: the one in this process, unless it has
// left all daemons to others, and those others. The first is named after the
// host, whoever it is, so that series and alerts stay the same when one takes
// over from the other; further ones also after the first daemon that they watch,
// which outlives their pid.
func (n *neighbors) targets(ours bool) []target {
	claims := n.claims()
	var agents []string
	if ours || len(claims) == 0 {
		agents = append(agents, agentHost)
	}
	agents = append(agents, slices.Sorted(maps.Keys(claims))...)
	out := make([]target, len(agents))
	for i, agent := range agents {
		instance := n.host
		if i > 0 {
			instance += "/" + claims[agent][0].Label
		}
		out[i] = target{Targets: []string{agent + memnet.Suffix + ":80"}, Labels: map[string]string{"host": n.host, "instance": instance}}
	}
	return out
}

// serve lists the targets; ours tells whether the agent in this process watches
// anything.
func (n *neighbors) serve(ours func() bool) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(n.targets(ours())) // Prometheus asks again
	})
}
