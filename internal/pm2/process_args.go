package pm2

import (
	"path"
	"strings"

	"github.com/pm25/pm25/internal/pm2/jsonscan"
)

// decodeNodeArgs looks for pm25-ext's file among the arguments for Node.js. The
// arguments themselves, which may hold secrets, are forgotten.
func decodeNodeArgs(s *jsonscan.Scanner, preload string, p *Process) error {
	look := func() error {
		text, err := s.Text(8192)
		for arg := range strings.FieldsSeq(string(text)) {
			switch name, value, _ := strings.Cut(arg, "="); {
			case preload != "" && (arg == preload || value == preload):
				p.Preloaded = true
			case name == "--require" || name == "-r" || name == "--import":
				// of the file that follows
			default:
				p.NodeArgs = true
			}
		}
		return err
	}
	p.Preloaded, p.NodeArgs = false, false
	kind, err := s.Kind()
	if err != nil {
		return err
	}
	if kind == jsonscan.Array {
		return s.Array(look)
	}
	return look()
}

// launcher names the program of a closed set that runs the app.
func launcher(script []byte) string {
	base := path.Base(string(script))
	base = strings.TrimSuffix(strings.TrimSuffix(base, path.Ext(base)), "-cli")
	switch base {
	case "npm", "npx", "yarn", "pnpm":
		return base
	}
	return ""
}
