package generate

import (
	"encoding/json"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/grafana/grafana-foundation-sdk/go/cog/plugins"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	amconfig "github.com/prometheus/alertmanager/config"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/config"
	_ "github.com/prometheus/prometheus/discovery/file" // what the configuration names
	_ "github.com/prometheus/prometheus/discovery/http"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"
	"go.yaml.in/yaml/v2"

	"github.com/pm25/pm25/dashboards"
	"github.com/pm25/pm25/internal/alertmanager"
	"github.com/pm25/pm25/internal/promtest"
	"github.com/pm25/pm25/rules"
	"github.com/pm25/pm25/rules/routing"
)

func options() Options {
	return Options{
		Rules: rules.Default(), Server: "http://pm25:9725", Prometheus: "http://prometheus:9090", Alertmanager: "http://alertmanager:9093",
		ServerCredentials: "/run/secrets/it's", Boards: "/etc/grafana/dashboards", BridgeTokenFile: "/run/secrets/notify's",
		Receivers: routing.Receivers{
			Language: routing.Chinese, Timezone: "Asia/Shanghai", Default: []string{"ding", "mail"},
			Receivers: map[string]routing.Receiver{
				"ding": {DingTalk: &routing.Robot{URLFile: "/etc/pm25/ding.url"}},
				"mail": {Email: &routing.Email{To: []string{"ops@example.com"}, From: "pm25@example.com", Smarthost: "mail:25"}},
			},
		},
		Owners: routing.Owners{{App: "pay*", Team: "Payments", Receivers: []string{"ding"}}},
	}
}

func generated(t *testing.T, o Options) map[string]string {
	t.Helper()
	files, err := All(o)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, f := range files {
		all[f.Path] = string(f.Text)
	}
	return all
}

func TestPrometheusReadsItsFiles(t *testing.T) {
	dir := written(t, options())
	conf, err := config.LoadFile(filepath.Join(dir, "prometheus", "prometheus.yml"), false, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	var jobs []string
	for _, s := range conf.ScrapeConfigs {
		jobs = append(jobs, s.JobName)
	}
	if diff := cmp.Diff([]string{"pm2", "pm25", "prometheus", "alertmanager"}, jobs); diff != "" {
		t.Errorf("jobs (-want +got):\n%s", diff)
	}
	if n := len(conf.RuleFiles); n != 1 {
		t.Fatalf("%d patterns of rule files", n)
	}
	found, err := filepath.Glob(conf.RuleFiles[0])
	if err != nil || len(found) != 1 {
		t.Fatalf("the rules are not where the configuration looks: %v, %v", found, err)
	}
	groups, errs := rulefmt.ParseFile(found[0], false, model.UTF8Validation, parser.NewParser(parser.Options{}), slog.New(slog.DiscardHandler))
	if len(errs) > 0 || len(groups.Groups) == 0 {
		t.Errorf("%d groups of rules, %v", len(groups.Groups), errs)
	}
	if got := conf.ScrapeConfigs[1].HTTPClientConfig.Authorization; got == nil || got.CredentialsFile != "/run/secrets/it's" {
		t.Errorf("credentials for the server: %v", got)
	}
}

// TestToolsReadTheirFiles: what the programs' own tools say.
func TestToolsReadTheirFiles(t *testing.T) {
	dir := written(t, options())
	for tool, args := range map[string][]string{
		"promtool": {"check", "config", "--syntax-only", filepath.Join(dir, "prometheus", "prometheus.yml")}, // the secret is not here
		"amtool":   {"check-config", filepath.Join(dir, "alertmanager", "alertmanager.yml")},
	} {
		out, err := exec.CommandContext(t.Context(), promtest.Binary(t, tool), args...).CombinedOutput()
		if err != nil || strings.Contains(string(out), "FAILED") {
			t.Errorf("%s: %v\n%s", tool, err, out)
		}
	}
}

// TestAlertmanagerReadsItsFile: with its templates, and as the Alertmanager of
// `pm25 up` reads one that a person wrote.
func TestAlertmanagerReadsItsFile(t *testing.T) {
	conf, err := alertmanager.LoadFile(filepath.Join(written(t, options()), "alertmanager", "alertmanager.yml"))
	if err != nil {
		t.Fatal(err)
	}
	if files, err := filepath.Glob(conf.Templates[0]); err != nil || len(files) != len(routing.Templates(routing.English))+len(routing.Templates(routing.Chinese))-1 {
		t.Errorf("%q holds %v, %v", conf.Templates, files, err) // one is for both languages
	}
	bridges := 0
	for _, r := range conf.Receivers {
		for _, w := range r.WebhookConfigs {
			bridges++
			if w.URL != "http://pm25:9725/notify/dingtalk/ding" || w.HTTPConfig.Authorization.CredentialsFile != "/run/secrets/notify's" {
				t.Errorf("%s: %q %+v", r.Name, w.URL, w.HTTPConfig)
			}
		}
	}
	if bridges == 0 {
		t.Error("no robot is told")
	}
}

// TestNobodyIsTold without receivers.
func TestNobodyIsTold(t *testing.T) {
	o := options()
	o.Receivers, o.Owners = routing.Receivers{}, nil
	conf, err := amconfig.Load(generated(t, o)["alertmanager/alertmanager.yml"])
	if err != nil {
		t.Fatal(err)
	}
	if r := conf.Receivers; len(r) != 1 || len(r[0].WebhookConfigs)+len(r[0].EmailConfigs) != 0 {
		t.Errorf("%+v", r)
	}
}

func written(t *testing.T, o Options) string {
	t.Helper()
	files, err := All(o)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if _, err := Write(dir, files); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestGrafanaProvisioning goes by what Grafana documents: its own reader is out of
// reach.
func TestGrafanaProvisioning(t *testing.T) {
	all := generated(t, options())
	var sources struct {
		APIVersion  int `yaml:"apiVersion"`
		Datasources []struct {
			Name, UID, Type, Access, URL string
			IsDefault                    bool           `yaml:"isDefault"`
			Editable                     bool           `yaml:"editable"`
			JSONData                     map[string]any `yaml:"jsonData"`
		}
	}
	strict(t, all["grafana/provisioning/datasources/pm25.yml"], &sources)
	var got []string
	for _, s := range sources.Datasources {
		got = append(got, s.Type+" "+s.UID+" "+s.URL)
	}
	want := []string{"prometheus pm25-prometheus http://prometheus:9090", "loki pm25-loki http://pm25:9725", "alertmanager pm25-alertmanager http://alertmanager:9093"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("data sources (-want +got):\n%s", diff)
	}
	var provider struct {
		APIVersion int `yaml:"apiVersion"`
		Providers  []struct {
			Name, Folder, Type    string
			OrgID                 int    `yaml:"orgId"`
			FolderUID             string `yaml:"folderUid"`
			DisableDeletion       bool   `yaml:"disableDeletion"`
			AllowUIUpdates        bool   `yaml:"allowUiUpdates"`
			UpdateIntervalSeconds int    `yaml:"updateIntervalSeconds"`
			Options               struct{ Path string }
		}
	}
	strict(t, all["grafana/provisioning/dashboards/pm25.yml"], &provider)
	if len(provider.Providers) != 1 || provider.Providers[0].Options.Path != "/etc/grafana/dashboards" {
		t.Errorf("%+v", provider)
	}
}

func strict(t *testing.T, text string, into any) {
	t.Helper()
	if err := yaml.UnmarshalStrict([]byte(text), into); err != nil {
		t.Fatal(err)
	}
}

// TestPrometheusRule: the object holds the same groups as the rule file.
func TestPrometheusRule(t *testing.T) {
	all := generated(t, options())
	var file map[string]any
	var object struct {
		APIVersion string `yaml:"apiVersion"`
		Kind       string
		Metadata   map[string]any
		Spec       map[string]any
	}
	strict(t, all[rulesPath], &file)
	strict(t, all["kubernetes/prometheusrule.yml"], &object)
	if diff := cmp.Diff(file, object.Spec); diff != "" || object.Kind != "PrometheusRule" || object.APIVersion != "monitoring.coreos.com/v1" {
		t.Errorf("%s %s, spec (-file +object):\n%s", object.APIVersion, object.Kind, diff)
	}
}

func TestConfigMap(t *testing.T) {
	text := "{\n  \"a\": \"{{x}} # '\\n'\",\n\n  \"b\": 1\n}\n"
	var object struct {
		APIVersion string `yaml:"apiVersion"`
		Kind       string
		Metadata   struct {
			Name   string
			Labels map[string]string
		}
		Data map[string]string
	}
	strict(t, string(configMap("pm25-fleet", map[string]string{"grafana_dashboard": "1"}, "pm25-fleet.json", []byte(text))), &object)
	if object.Data["pm25-fleet.json"]+"\n" != text || object.Metadata.Labels["grafana_dashboard"] != "1" {
		t.Errorf("%+v", object)
	}
}

// TestBoards: Grafana's own types read each, in the language and by the settings
// of the rules, and its ConfigMap holds the same.
func TestBoards(t *testing.T) {
	plugins.RegisterDefaultPlugins()
	o := options()
	o.Rules.Language, o.Rules.PM25URL = rules.Chinese, "http://pm25:9725"
	all := generated(t, o)
	want, err := dashboards.All(dashboards.For(o.Rules))
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range want {
		text := all["grafana/dashboards/"+b.UID+".json"]
		var d dashboard.Dashboard
		if err := json.Unmarshal([]byte(text), &d); err != nil {
			t.Errorf("%s: %v", b.UID, err)
			continue
		}
		if err := d.Validate(); err != nil || *d.Uid != b.UID || !strings.HasSuffix(*d.Title, b.Title) {
			t.Errorf("%s: uid %s, title %s, %v", b.UID, *d.Uid, *d.Title, err)
		}
		var object struct {
			APIVersion string `yaml:"apiVersion"`
			Kind       string
			Metadata   struct{ Labels map[string]string }
			Data       map[string]string
		}
		file := all["kubernetes/"+b.UID+".yml"]
		if err := yaml.Unmarshal([]byte(file), &object); err != nil {
			t.Fatal(err)
		}
		if object.Kind != "ConfigMap" || object.Metadata.Labels["grafana_dashboard"] != "1" || object.Data[b.UID+".json"]+"\n" != text || len(file) > 1<<20 {
			t.Errorf("ConfigMap of %s: %s %v, %d bytes", b.UID, object.Kind, object.Metadata, len(file))
		}
		if !strings.Contains(all["mixin/mixin.libsonnet"], "'../grafana/dashboards/"+b.UID+".json'") {
			t.Errorf("the mixin has no %s", b.UID)
		}
	}
}

// TestNoOutsideHost: nothing that is written names a host of the internet.
func TestNoOutsideHost(t *testing.T) {
	o := options()
	o.Rules.PM25URL, o.Rules.GrafanaURL, o.Rules.AlertmanagerURL = "http://pm25", "http://grafana", "http://alertmanager"
	names := regexp.MustCompile(`https?://[^\s"'/:]+`)
	known := []string{"http://pm25", "http://prometheus", "http://alertmanager", "http://grafana"}
	for p, text := range generated(t, o) {
		for _, found := range names.FindAllString(text, -1) {
			if !slices.Contains(known, found) && !strings.Contains(found, "{{") {
				t.Errorf("%s names %s", p, found)
			}
		}
	}
}

func TestBadOptions(t *testing.T) {
	for _, change := range []func(*Options){
		func(o *Options) { o.Server = "pm25:9725" },
		func(o *Options) { o.Prometheus = "ftp://x" },
		func(o *Options) { o.Alertmanager = "http://user:secret@x" },
		func(o *Options) { o.Prometheus = "http://x/prometheus" },
		func(o *Options) { o.Server = "" },
		func(o *Options) { o.Bridge = "pm25:9725" },
		func(o *Options) { o.Rules.Language = "fr" },
		func(o *Options) { o.Owners = routing.Owners{{Team: "x", Receivers: []string{"nobody-of-that-name"}}} },
	} {
		o := options()
		change(&o)
		if _, err := All(o); err == nil {
			t.Errorf("%+v is taken", o)
		}
	}
}

func TestFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new")
	first := []File{{"a/b.yml", []byte("1\n")}, {"c.yml", []byte("2\n")}, {"old.yml", []byte("3\n")}}
	check := func(what string, got []string, err error, want ...string) {
		t.Helper()
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", what, diff)
		}
	}
	got, err := Write(dir, first)
	check("first", got, err, "a/b.yml", "c.yml", list, "old.yml")
	got, err = Write(dir, first)
	check("again", got, err)
	for name, text := range map[string]string{"c.yml": "changed", "mine.yml": "mine"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	next := first[:2]
	got, err = Stale(dir, next)
	check("stale", got, err, "c.yml", list, "old.yml")
	got, err = Write(dir, next)
	check("next", got, err, "c.yml", list, "old.yml")
	if _, err := os.Stat(filepath.Join(dir, "old.yml")); !os.IsNotExist(err) {
		t.Errorf("what is made no more: %v", err)
	}
	if text, err := os.ReadFile(filepath.Join(dir, "mine.yml")); err != nil || string(text) != "mine" {
		t.Errorf("what a person put there: %q, %v", text, err)
	}
	got, err = Stale(dir, next)
	check("up to date", got, err)
	if _, err := Stale(filepath.Join(dir, "none"), next); err == nil {
		t.Error("a folder that is not there is up to date")
	}
}

// TestListLeadsNowhereElse: a list that somebody changed removes nothing outside.
func TestListLeadsNowhereElse(t *testing.T) {
	dir := t.TempDir()
	outside := filepath.Join(dir, "outside")
	inside := filepath.Join(dir, "in")
	if err := os.WriteFile(outside, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Write(inside, nil); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(inside, list), []byte("../outside\n"+outside+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Write(inside, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(outside); err != nil {
		t.Error(err)
	}
}
