package pm2

import (
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/pm25/pm25/internal/pm2/jsonscan"
)

// maxNodeArgs bounds how many arguments for Node.js are kept of one process.
const maxNodeArgs = 16

// Arguments for Node.js that may be shown, because they hold no secret: options
// that are on or off or take a number or an address, those that take one of a
// few words, and those that take a file or a package. A shell and PM2 take all
// of them as they are.
var (
	plainOption = regexp.MustCompile(`^--[a-z][a-z0-9_-]{1,60}(=[0-9][0-9.:]{0,24})?$`)
	wordOption  = regexp.MustCompile(`^--(dns-result-order|input-type|unhandled-rejections)=[a-z0-9-]{1,30}$`)
	plainFile   = regexp.MustCompile(`^([A-Za-z0-9@._+-]*/[A-Za-z0-9@._/+-]+|[A-Za-z0-9._-]+\.[cm]?[jt]s|tsx|newrelic)$`)
	fileOptions = []string{"--require", "-r", "--import", "--loader", "--experimental-loader"}
)

// decodeNodeArgs looks for pm25-ext's file among the arguments for Node.js, and
// takes what may be shown of the others. The rest, which may hold secrets, is
// forgotten.
func decodeNodeArgs(s *jsonscan.Scanner, preload string, p *Process) error {
	p.Preloaded, p.NodeArgs, p.NodeArgsHidden = false, nil, false
	if preload == "" {
		return s.Skip()
	}
	var args []string
	kind, err := s.Kind()
	if err != nil {
		return err
	}
	if kind == jsonscan.Array {
		err = s.Array(func() error {
			text, err := s.Text(8192)
			args = append(args, string(text))
			return err
		})
	} else {
		var text []byte
		text, err = s.Text(8192)
		args = splitArgs(string(text))
	}
	takeNodeArgs(args, preload, p)
	return err
}

// quotedArg is what PM2 takes for one argument in a string.
var quotedArg = regexp.MustCompile(`"[^"]*"|'[^']*'|\S+`)

// splitArgs splits a string of arguments as PM2 does, near enough.
func splitArgs(s string) []string {
	args := quotedArg.FindAllString(s, -1)
	for i, a := range args {
		if len(a) > 1 && (a[0] == '"' || a[0] == '\'') && a[len(a)-1] == a[0] {
			args[i] = a[1 : len(a)-1]
		}
	}
	return args
}

func takeNodeArgs(args []string, preload string, p *Process) {
	for i := 0; i < len(args); i++ {
		arg := args[i]
		name, value, joined := strings.Cut(arg, "=")
		ofFile := slices.Contains(fileOptions, name)
		var pair []string // of an option and its file
		if ofFile {
			switch {
			case joined:
				pair = []string{arg}
			case i+1 < len(args):
				i++
				value, pair = args[i], []string{arg, args[i]}
			}
		}
		switch {
		case arg == preload || pair != nil && value == preload:
			p.Preloaded = true
		case len(p.NodeArgs) >= maxNodeArgs:
			p.NodeArgsHidden = true
		case pair != nil && len(value) <= 200 && plainFile.MatchString(value):
			p.NodeArgs = append(p.NodeArgs, pair...)
		case !ofFile && (plainOption.MatchString(arg) || wordOption.MatchString(arg)):
			p.NodeArgs = append(p.NodeArgs, arg)
		default:
			p.NodeArgsHidden = true
		}
	}
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
