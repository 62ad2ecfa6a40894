// Package generate writes what other programs read of PM25: configuration and
// rules of Prometheus, configuration of Alertmanager, provisioning of Grafana,
// objects for Kubernetes, a jsonnet mixin.
//
// It guarantees that the same options give the same bytes, that no file needs
// an address on the internet, and that whatever it wrote once and makes no more
// is removed, or told of as stale. What a person put beside it stays.
package generate

import (
	"fmt"
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/pm25/pm25/rules"
	"github.com/pm25/pm25/rules/routing"
)

//go:generate go -C ../.. run ./cmd/pm25 generate @deploy/compose/generate.flags deploy/compose/generated

// File is one file. Its path has slashes and is below the folder.
type File struct {
	Path string
	Text []byte
}

// Options say where everything is, as the programs that read the files see it.
type Options struct {
	// Rules with the links that people follow; the boards take their language,
	// thresholds and link to PM25 from it too.
	Rules rules.Config
	// Receivers and Owners say whom Alertmanager tells; the zero values: nobody.
	// The secrets' files in them are by the paths that Alertmanager sees.
	Receivers routing.Receivers
	Owners    routing.Owners
	// Bridge is where Alertmanager reaches the bridge to chat robots; "": Server.
	// BridgeTokenFile is the file with its token; needed when a receiver is a robot.
	Bridge, BridgeTokenFile string
	// Server is PM25's server, Prometheus and Alertmanager what their names say.
	Server, Prometheus, Alertmanager string
	// ServerCredentials is the file from which Prometheus takes the token for the
	// server; "" where it asks for none.
	ServerCredentials string
	// Boards is the folder in which Grafana finds the boards.
	Boards string
}

// Producer makes the files for one program.
type Producer struct {
	Name  string
	Files func(Options) ([]File, error)
}

// Producers lists them. Whoever comes later may use the files of those before.
func Producers() []Producer {
	return []Producer{
		{"prometheus", prometheusFiles},
		{"alertmanager", alertmanagerFiles},
		{"grafana", grafanaFiles},
		{"kubernetes", kubernetesFiles},
		{"mixin", mixinFiles},
	}
}

// All makes every file, in the order of their paths. Errors name the option or
// the producer.
func All(o Options) ([]File, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	var all []File
	for _, p := range Producers() {
		files, err := p.Files(o)
		if err != nil {
			return nil, fmt.Errorf("files for %s: %w", p.Name, err)
		}
		all = append(all, files...)
	}
	slices.SortFunc(all, func(a, b File) int { return strings.Compare(a.Path, b.Path) })
	for i, f := range all {
		if !local(f.Path) {
			return nil, fmt.Errorf("%s is not below the folder", f.Path)
		}
		if i > 0 && all[i-1].Path == f.Path {
			return nil, fmt.Errorf("%s is made twice", f.Path)
		}
	}
	return all, nil
}

// local is true for a clean path that leads nowhere else.
func local(p string) bool {
	return p != "" && p == path.Clean(p) && !path.IsAbs(p) && p != ".." && !strings.HasPrefix(p, "../") && p != list
}

func (o Options) validate() error {
	for name, address := range map[string]string{"server": o.Server, "prometheus": o.Prometheus, "alertmanager": o.Alertmanager, "bridge": o.bridge()} {
		u, err := url.Parse(address)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
			return fmt.Errorf("the address of %s has to be http://HOST:PORT or https://HOST:PORT, and is %q", name, address)
		}
		if u.Path != "" && u.Path != "/" && name != "server" && name != "bridge" {
			return fmt.Errorf("the address of %s has a path, %q: give one without", name, u.Path)
		}
	}
	// The bridge of `pm25 server` asks everybody, on loopback too.
	if robots := o.Receivers.Robots(); len(robots) > 0 && o.BridgeTokenFile == "" {
		return fmt.Errorf("receiver %q is the robot of a chat, and PM25's bridge to it takes nothing from an Alertmanager without its token: "+
			"name the file with it by --notify.token-file, as Alertmanager sees it (pm25 server makes notify.token in its data folder)", robots[0])
	}
	return nil
}

// address splits a URL as scrape configurations name targets. A path is kept for
// what is behind a proxy.
func address(text string) (scheme, host, prefix string) {
	u, err := url.Parse(text)
	if err != nil {
		panic(err) // validated
	}
	host = u.Host
	if u.Port() == "" {
		host += map[string]string{"http": ":80", "https": ":443"}[u.Scheme]
	}
	return u.Scheme, host, strings.TrimSuffix(u.Path, "/")
}
