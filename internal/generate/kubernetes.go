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
	files := []File{{"kubernetes/prometheusrule.yml", []byte(rules.PrometheusRule(o.Rules))}}
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
