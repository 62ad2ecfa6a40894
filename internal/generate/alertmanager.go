package generate

import (
	"maps"
	"slices"

	"github.com/pm25/pm25/rules/routing"
)

// templates is where Alertmanager finds them, from its configuration's folder.
const templates = "templates/*.tmpl"

// alertmanagerFiles are the configuration and, for who changes it by hand too,
// the templates of messages in both languages.
func alertmanagerFiles(o Options) ([]File, error) {
	text, err := routing.Alertmanager(o.Receivers, o.Owners, routing.Options{
		BridgeURL: o.bridge(), BridgeTokenFile: o.BridgeTokenFile, TemplateGlob: templates, ExternalURL: o.Rules.PM25URL,
	})
	if err != nil {
		return nil, err
	}
	files := []File{{"alertmanager/alertmanager.yml", []byte(text)}}
	all := routing.Templates(routing.English)
	maps.Copy(all, routing.Templates(routing.Chinese))
	for _, name := range slices.Sorted(maps.Keys(all)) {
		files = append(files, File{"alertmanager/templates/" + name, []byte(all[name])})
	}
	return files, nil
}

// bridge is where Alertmanager reaches PM25's bridge to chat robots.
func (o Options) bridge() string {
	if o.Bridge != "" {
		return o.Bridge
	}
	return o.Server
}
