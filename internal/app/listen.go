package app

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/coreos/go-systemd/v22/activation"
	"github.com/prometheus/exporter-toolkit/web"
)

// TakenError says that an address of --web.listen-address is in use.
type TakenError struct {
	Address string
	Holder  string // the program that holds it, or "another program"
	Next    string // an address to try instead
}

func (e *TakenError) Error() string {
	return fmt.Sprintf("%s is taken by %s: stop it, or choose another address, such as --web.listen-address=%s", e.Address, e.Holder, e.Next)
}

// Listen opens the sockets of --web.listen-address or systemd's.
func Listen(flags *web.FlagConfig) ([]net.Listener, error) {
	if flags.WebSystemdSocket != nil && *flags.WebSystemdSocket {
		return systemdListeners()
	}
	var listeners []net.Listener
	for _, address := range *flags.WebListenAddresses {
		l, err := net.Listen("tcp", address)
		if err != nil {
			closeAll(listeners)
			return nil, listenError(address, err)
		}
		listeners = append(listeners, l)
	}
	return listeners, nil
}

func closeAll(listeners []net.Listener) {
	for _, l := range listeners {
		_ = l.Close()
	}
}

func listenError(address string, err error) error {
	if !errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("listening: %w; choose another address with --web.listen-address", err)
	}
	taken := &TakenError{Address: address, Holder: "another program", Next: "127.0.0.1:0"}
	host, port, splitErr := net.SplitHostPort(address)
	n, convErr := strconv.Atoi(port)
	if splitErr == nil && convErr == nil {
		if found := portHolder(n); found != "" {
			taken.Holder = found
		}
		taken.Next = net.JoinHostPort(host, strconv.Itoa(n+1))
	}
	return taken
}

// explainListen adds what is known of the agent's default port.
func explainListen(err error) error {
	var taken *TakenError
	if errors.As(err, &taken) {
		return fmt.Errorf("%w (9209 is also the default of pm2-metrics)", err)
	}
	return err
}

func systemdListeners() ([]net.Listener, error) {
	listeners, err := activation.Listeners()
	if err != nil {
		return nil, fmt.Errorf("taking the sockets from systemd: %w", err)
	}
	if len(listeners) == 0 {
		return nil, errors.New("systemd passed no socket: start the program through its .socket unit, or leave out --web.systemd-socket")
	}
	for _, l := range listeners {
		if l == nil {
			return nil, errors.New("systemd passed a socket that takes no connections: its .socket unit needs ListenStream")
		}
	}
	return listeners, nil
}

// portHolder names the process that listens on a TCP port, where we may see
// it.
func portHolder(port int) string {
	inodes := map[string]bool{}
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		data, err := os.ReadFile(table)
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(data)) {
			f := strings.Fields(line)
			if len(f) > 9 && f[3] == "0A" && strings.HasSuffix(f[1], fmt.Sprintf(":%04X", port)) {
				inodes["socket:["+f[9]+"]"] = true
			}
		}
	}
	links, _ := filepath.Glob("/proc/[0-9]*/fd/*")
	for _, link := range links {
		if target, err := os.Readlink(link); err != nil || !inodes[target] {
			continue
		}
		pid := strings.Split(link, "/")[2]
		name, _ := os.ReadFile("/proc/" + pid + "/comm")
		return fmt.Sprintf("%q (pid %s)", strings.TrimSpace(string(name)), pid)
	}
	return ""
}
