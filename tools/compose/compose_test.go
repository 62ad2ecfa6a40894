// Package compose tests docker-compose.yml with the loader that docker compose
// itself has. It is a module of its own, so that the loader is no dependency of
// the programs. No container is started.
package compose

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
	"github.com/sirupsen/logrus"
)

const prefix = "registry.test:5000/mirror/"

var root = filepath.Join("..", "..")

// load reads the file as `docker compose config` does; what the loader warns of
// is an error.
func load(t *testing.T, env ...string) *types.Project {
	t.Helper()
	var warned bytes.Buffer
	before := logrus.StandardLogger().Out
	logrus.SetOutput(&warned)
	defer logrus.SetOutput(before)
	o, err := cli.NewProjectOptions([]string{filepath.Join(root, "docker-compose.yml")}, cli.WithWorkingDirectory(root), cli.WithEnv(env), cli.WithProfiles([]string{"*"}))
	if err != nil {
		t.Fatal(err)
	}
	p, err := o.LoadProject(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if warned.Len() > 0 {
		t.Errorf("the loader warns: %s", warned.String())
	}
	return p
}

func TestServices(t *testing.T) {
	p := load(t)
	names := p.ServiceNames()
	slices.Sort(names)
	if want := []string{"agent", "alertmanager", "apps", "generate", "grafana", "pm25", "prometheus", "token"}; !slices.Equal(names, want) {
		t.Fatalf("services %v, want %v", names, want)
	}
	for name, s := range p.Services {
		if s.HealthCheck == nil && name != "token" && name != "generate" {
			t.Errorf("%s has no health check", name)
		}
		if !slices.Contains(s.CapDrop, "ALL") || !slices.Contains(s.SecurityOpt, "no-new-privileges:true") || s.Privileged {
			t.Errorf("%s has more rights than it needs", name)
		}
		if !s.ReadOnly && name != "apps" {
			t.Errorf("%s can write into its image", name)
		}
		for _, port := range s.Ports {
			if port.HostIP != "127.0.0.1" {
				t.Errorf("%s opens port %s on %q", name, port.Published, port.HostIP)
			}
		}
		for other, d := range s.DependsOn {
			if d.Condition == types.ServiceConditionHealthy && p.Services[other].HealthCheck == nil {
				t.Errorf("%s waits for the health of %s, which has no check", name, other)
			}
		}
	}
}

// TestImages: every image has a version, takes REGISTRY_PREFIX, and is listed.
func TestImages(t *testing.T) {
	listed := lines(t, "images.txt")
	plain, prefixed := load(t), load(t, "REGISTRY_PREFIX="+prefix)
	var used []string
	for name, s := range plain.Services {
		if !slices.Contains(used, s.Image) {
			used = append(used, s.Image)
		}
		_, tag, _ := strings.Cut(s.Image, ":")
		if tag == "" || tag == "latest" {
			t.Errorf("%s: image %q has no version", name, s.Image)
		}
		if got := prefixed.Services[name].Image; got != prefix+s.Image {
			t.Errorf("%s: with a prefix the image is %q", name, got)
		}
		if b := prefixed.Services[name].Build; b != nil && (b.Args["REGISTRY_PREFIX"] == nil || *b.Args["REGISTRY_PREFIX"] != prefix) {
			t.Errorf("%s is built on images without the prefix", name)
		}
	}
	slices.Sort(used)
	slices.Sort(listed)
	if !slices.Equal(used, listed) {
		t.Errorf("used are\n%s\nimages.txt has\n%s", strings.Join(used, "\n"), strings.Join(listed, "\n"))
	}
}

func lines(t *testing.T, name string) (out []string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			out = append(out, line)
		}
	}
	return out
}

// TestDockerfiles: each base image takes the prefix, and each target is there.
func TestDockerfiles(t *testing.T) {
	from := regexp.MustCompile(`(?m)^FROM (\S+)(?: AS (\S+))?$`)
	for name, s := range load(t).Services {
		if s.Build == nil {
			continue
		}
		text, err := os.ReadFile(filepath.Join(s.Build.Context, s.Build.Dockerfile))
		if err != nil {
			t.Error(err)
			continue
		}
		var stages []string
		for _, m := range from.FindAllStringSubmatch(string(text), -1) {
			if m[1] != "scratch" && !strings.HasPrefix(m[1], "${REGISTRY_PREFIX}") {
				t.Errorf("%s is built on %s, without the prefix", name, m[1])
			}
			stages = append(stages, m[2])
		}
		if s.Build.Target != "" && !slices.Contains(stages, s.Build.Target) {
			t.Errorf("%s is built as %s, of %v", name, s.Build.Target, stages)
		}
		for line := range strings.Lines(string(text)) {
			if word, rest, _ := strings.Cut(line, " "); word == "COPY" && !strings.Contains(rest, "--from") {
				for _, source := range copied(rest) {
					if _, err := os.Stat(filepath.Join(s.Build.Context, source)); err != nil {
						t.Errorf("%s copies what is not there: %v", name, err)
					}
				}
			}
		}
	}
}

// copied are the sources of a COPY.
func copied(line string) []string {
	words := slices.DeleteFunc(strings.Fields(line), func(w string) bool { return strings.HasPrefix(w, "--") })
	return words[:len(words)-1]
}

// TestMounts: what is mounted of this folder is there, and cannot be written;
// volumes are declared, and used.
func TestMounts(t *testing.T) {
	p := load(t)
	used := map[string]bool{}
	for name, s := range p.Services {
		for _, v := range s.Volumes {
			switch v.Type {
			case types.VolumeTypeVolume:
				used[v.Source] = true
			case types.VolumeTypeBind:
				// What writes them is told to run by hand, and has no network.
				writes := name == "generate" && strings.HasSuffix(v.Source, "/generated") && s.NetworkMode == "none"
				if _, err := os.Stat(v.Source); err != nil || v.ReadOnly == writes {
					t.Errorf("%s mounts %s: read-only %v, %v", name, v.Source, v.ReadOnly, err)
				}
			default:
				t.Errorf("%s has a mount of type %s", name, v.Type)
			}
		}
	}
	for name := range p.Volumes {
		if !used[name] {
			t.Errorf("nobody uses volume %s", name)
		}
	}
	for name, s := range p.Secrets {
		if s.File == "" || !strings.HasSuffix(s.File, "deploy/compose/secrets/"+name) {
			t.Errorf("secret %s is in %q", name, s.File)
		}
	}
}

// TestAgentBesidePM2: the agent has PM2's home by the same path, its processes
// and its uid.
func TestAgentBesidePM2(t *testing.T) {
	p := load(t)
	agent, apps := p.Services["agent"], p.Services["apps"]
	if agent.Pid != "service:apps" || agent.User != apps.User || agent.User == "" || strings.HasPrefix(agent.User, "0") {
		t.Errorf("pid %q, user %q and %q", agent.Pid, agent.User, apps.User)
	}
	home := *apps.Environment["PM2_HOME"]
	for _, s := range []types.ServiceConfig{agent, apps} {
		i := slices.IndexFunc(s.Volumes, func(v types.ServiceVolumeConfig) bool { return v.Target == home })
		if i < 0 || s.Volumes[i].Source != "pm2-home" || s.Volumes[i].ReadOnly {
			t.Errorf("%s has no %s", s.Name, home)
		}
	}
	if !slices.Contains(agent.Command, "--pm2.home=apps="+home) {
		t.Errorf("the agent is not told of %s: %v", home, agent.Command)
	}
	for _, name := range []string{"agent", "pm25"} {
		if uid := p.Services[name].Build.Args["UID"]; uid == nil || *uid+":"+*uid != p.Services[name].User {
			t.Errorf("%s runs as %s, its folders belong to another", name, p.Services[name].User)
		}
	}
}

// TestFilesOfCommands: what a program is told to read of this folder is there.
func TestFilesOfCommands(t *testing.T) {
	var found int
	for name, s := range load(t).Services {
		for _, arg := range s.Command {
			_, path, _ := strings.Cut(arg, "=")
			for _, v := range s.Volumes {
				rest, inside := strings.CutPrefix(path, v.Target+"/")
				if v.Type != types.VolumeTypeBind || !inside {
					continue
				}
				found++
				if _, err := os.Stat(filepath.Join(v.Source, rest)); err != nil {
					t.Errorf("%s: %s: %v", name, arg, err)
				}
			}
		}
	}
	if found < 4 { // of Prometheus, Alertmanager, and who is told
		t.Errorf("only %d files are named", found)
	}
}

// TestNotifyToken: the server makes the token where Alertmanager, which runs as
// another user, reads it by its group, and writes nothing.
func TestNotifyToken(t *testing.T) {
	p := load(t)
	server, alertmanager := p.Services["pm25"], p.Services["alertmanager"]
	for _, s := range []types.ServiceConfig{server, alertmanager} {
		i := slices.IndexFunc(s.Volumes, func(v types.ServiceVolumeConfig) bool { return v.Target == "/notify" })
		if i < 0 || s.Volumes[i].Source != "notify-token" || s.Volumes[i].ReadOnly != (s.Name == "alertmanager") {
			t.Errorf("%s: %v", s.Name, s.Volumes)
		}
	}
	if !slices.Contains(server.Command, "--notify.token-file=/notify/token") || alertmanager.DependsOn["pm25"].Condition != types.ServiceConditionHealthy {
		t.Error("the server does not make the token before Alertmanager starts")
	}
	if _, group, _ := strings.Cut(server.User, ":"); !slices.Contains(alertmanager.GroupAdd, group) {
		t.Errorf("Alertmanager is in groups %v, the token's is %s", alertmanager.GroupAdd, group)
	}
}

// TestGrafanaStaysInside: Grafana asks nobody outside, and nobody gets in
// without a password.
func TestGrafanaStaysInside(t *testing.T) {
	g := load(t).Services["grafana"]
	for key, want := range map[string]string{
		"GF_AUTH_ANONYMOUS_ENABLED": "false", "GF_USERS_ALLOW_SIGN_UP": "false", "GF_ANALYTICS_REPORTING_ENABLED": "false",
		"GF_ANALYTICS_CHECK_FOR_UPDATES": "false", "GF_ANALYTICS_CHECK_FOR_PLUGIN_UPDATES": "false", "GF_NEWS_NEWS_FEED_ENABLED": "false",
		"GF_ANALYTICS_FEEDBACK_LINKS_ENABLED": "false", "GF_PLUGINS_PREINSTALL_AUTO_UPDATE": "false",
		"GF_SNAPSHOTS_EXTERNAL_ENABLED": "false", "GF_SECURITY_DISABLE_GRAVATAR": "true", "GF_PLUGINS_PREINSTALL_DISABLED": "true",
		"GF_PLUGINS_PLUGIN_ADMIN_ENABLED": "false", "GF_PLUGINS_PUBLIC_KEY_RETRIEVAL_DISABLED": "true",
		"GF_SECURITY_ADMIN_PASSWORD__FILE": "/run/secrets/grafana_admin_password", "GF_PATHS_PROVISIONING": "/etc/grafana/pm25/provisioning",
	} {
		if got := g.Environment[key]; got == nil || *got != want {
			t.Errorf("%s has to be %q", key, want)
		}
	}
	for key := range g.Environment {
		if strings.Contains(key, "INSTALL_PLUGINS") || key == "GF_SECURITY_ADMIN_PASSWORD" {
			t.Errorf("%s is set", key)
		}
	}
}

// TestNoOutsideHost: what the stack is told to reach is in the stack, or this
// machine.
func TestNoOutsideHost(t *testing.T) {
	p := load(t)
	host := regexp.MustCompile(`https?://([^:/\s"']+)`)
	for name, s := range p.Services {
		for _, found := range host.FindAllStringSubmatch(fmt.Sprint(s.Command, s.Environment.ToMapping(), s.HealthCheck), -1) {
			if _, ok := p.Services[found[1]]; !ok && found[1] != "localhost" && found[1] != "127.0.0.1" {
				t.Errorf("%s is told of %s", name, found[0])
			}
		}
	}
}
