package generate

import (
	"bytes"
	"fmt"
	"path"
	"strings"

	"github.com/pm25/pm25/rules"
)

// kubernetesFiles are the rules for the Prometheus operator, and the boards as
// ConfigMaps with the label by which Grafana's sidecar finds them.
func kubernetesFiles(o Options) ([]File, error) {
	files := []File{{"kubernetes/prometheusrule.yml", prometheusRule(rules.File(o.Rules))}}
	boards, err := boardFiles(o)
	if err != nil {
		return nil, err
	}
	for _, b := range boards {
		name := path.Base(b.Path)
		files = append(files, File{
			"kubernetes/" + strings.TrimSuffix(name, ".json") + ".yml",
			configMap(strings.TrimSuffix(name, ".json"), map[string]string{"grafana_dashboard": "1"}, name, b.Text),
		})
	}
	return files, nil
}

// prometheusRule makes a PrometheusRule of a rule file: the same YAML, deeper.
func prometheusRule(ruleFile string) []byte {
	var b bytes.Buffer
	b.WriteString("apiVersion: monitoring.coreos.com/v1\nkind: PrometheusRule\nmetadata:\n  name: pm25\n  labels: {app.kubernetes.io/name: pm25}\nspec:\n")
	indent(&b, ruleFile, "  ")
	return b.Bytes()
}

// configMap is a ConfigMap of one file. A line that holds {{ is safe: nothing
// expands a ConfigMap.
func configMap(name string, labels map[string]string, file string, text []byte) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: %s\n  labels:\n", name)
	for _, key := range sortedKeys(labels) {
		fmt.Fprintf(&b, "    %s: %s\n", key, quote(labels[key]))
	}
	fmt.Fprintf(&b, "data:\n  %s: |-\n", file)
	indent(&b, strings.TrimSuffix(string(text), "\n"), "    ")
	return b.Bytes()
}

func indent(b *bytes.Buffer, text, by string) {
	for line := range strings.Lines(text) {
		if line != "\n" {
			b.WriteString(by)
		}
		b.WriteString(line)
	}
	if !strings.HasSuffix(text, "\n") {
		b.WriteByte('\n')
	}
}
