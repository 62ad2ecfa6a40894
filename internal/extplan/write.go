package extplan

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// Daemon is a PM2 daemon to print.
type Daemon struct {
	Label, Home string
	// Prefix makes pm2 speak to it, such as "env PM2_HOME=/srv/.pm2 ".
	Prefix string
	Apps   []App
	File   FileState
	Unseen error // why the file's state is not known
}

// FileState is what is at the path of the extension's file.
type FileState int

// The states of the file.
const (
	Present FileState = iota
	Empty             // what a removed package leaves, so that apps start
	Missing           // apps that load it do not start
)

// Write prints the plan of one daemon.
func (d *Daemon) Write(out io.Writer, file string) error {
	var b strings.Builder
	fmt.Fprintf(&b, "PM2 daemon %s (%s)\n", d.Label, d.Home)
	if len(d.Apps) == 0 {
		b.WriteString("\n  no apps\n")
	} else {
		d.table(&b)
		d.file(&b, file)
		d.impossible(&b)
		d.commands(&b, file)
	}
	_, err := io.WriteString(out, b.String())
	return err
}

func (d *Daemon) table(b *strings.Builder) {
	rows := [][]string{{"APP", "MODE", "INTERPRETER", "PROCESSES", "PM25-EXT"}}
	for i := range d.Apps {
		a := &d.Apps[i]
		rows = append(rows, []string{a.title(), a.Mode, cmp.Or(a.Interpreter, "none"), fmt.Sprint(a.Processes), a.state(d.File)})
	}
	b.WriteString("\n")
	align(b, rows)
}

// align writes rows as columns.
func align(b *strings.Builder, rows [][]string) {
	w := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		fmt.Fprintln(w, "  "+strings.Join(row, "\t"))
	}
	_ = w.Flush() // into memory
}

func (d *Daemon) file(b *strings.Builder, file string) {
	switch {
	case d.Unseen != nil:
		fmt.Fprintf(b, "\nIt can not be seen whether the file is there: %v\nLook before you turn it on: apps do not start without it.\n  %s\n", d.Unseen, file)
	case d.File == Missing && d.loads():
		fmt.Fprintf(b, "\nThe file is NOT THERE. Apps that load it will not start again: install pm25-ext, or turn it off.\n  %s\n", file)
	case d.File == Missing:
		fmt.Fprintf(b, "\nThe file is not there. Install pm25-ext before you turn it on.\n  %s\n", file)
	case d.File == Empty:
		fmt.Fprintf(b, "\nThe file is empty: pm25-ext was removed. Apps that load it start, and are not measured.\n  %s\n", file)
	}
}

func (d *Daemon) loads() bool {
	for i := range d.Apps {
		if d.Apps[i].Loads() {
			return true
		}
	}
	return false
}

func (d *Daemon) impossible(b *strings.Builder) {
	var rows [][]string
	for i := range d.Apps {
		if a := &d.Apps[i]; a.idle() {
			rows = append(rows, []string{a.title(), a.Unsupported})
		}
	}
	if rows != nil {
		b.WriteString("\nNot possible:\n")
		align(b, rows)
	}
}

// commands prints what to run and what to write down. Each block can be pasted
// as it is.
func (d *Daemon) commands(b *strings.Builder, file string) {
	var on, off []string
	var lineOn, lineOff, byEnv [][]string
	for i := range d.Apps {
		a := &d.Apps[i]
		if a.ByEnv > 0 {
			byEnv = append(byEnv, []string{a.title()})
			continue
		}
		possible := a.Unsupported == "" && d.File == Present
		if possible && a.Preloaded < a.Processes {
			on = append(on, a.command(d.Apps, d.Prefix, file, true))
		}
		if possible {
			lineOn = append(lineOn, []string{a.title(), a.setting(file, true)})
		}
		if possible || a.Preloaded > 0 {
			off = append(off, a.command(d.Apps, d.Prefix, file, false))
			lineOff = append(lineOff, []string{a.title(), a.setting(file, false)})
		}
	}
	block := func(title string, lines []string) {
		if lines == nil {
			return
		}
		fmt.Fprintf(b, "\n%s\n", title)
		for _, line := range append(lines, d.Prefix+"pm2 save") {
			b.WriteString("  " + strings.ReplaceAll(line, "\n", "\n  ") + "\n")
		}
	}
	block("Turn it on:", on)
	block("Turn it off:", off)
	list := func(title string, rows [][]string) {
		if rows != nil {
			b.WriteString("\n" + title + "\n")
			align(b, rows)
		}
	}
	list("On in an ecosystem file, whose arguments replace these when the app is started from it:", lineOn)
	list("Off in an ecosystem file:", lineOff)
	list("On by NODE_OPTIONS in the app's environment: where that is set, it is turned off.", byEnv)
}
