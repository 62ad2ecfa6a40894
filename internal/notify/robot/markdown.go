package robot

import "strings"

// dialect is how a robot writes markdown.
type dialect struct {
	heading, newline, gap string
	quote                 string // before a line
	code                  bool   // it has code in a line
	escape                func(string) string
}

var (
	dingTalkMarkdown = dialect{heading: "#### ", newline: "  \n", gap: "\n\n", quote: "> ", escape: escapeWide}
	weComMarkdown    = dialect{heading: "### ", newline: "\n", gap: "\n\n", quote: "> ", code: true, escape: escapeWide}
	feishuMarkdown   = dialect{newline: "\n", gap: "\n", quote: "┃ ", escape: escapeEntities}
)

// document writes title and blocks.
func (m dialect) document(d Document) string {
	gap := m.gap
	if d.List {
		gap = m.newline
	}
	parts := make([]string, len(d.Blocks))
	for i, b := range d.Blocks {
		parts[i] = m.block(b)
	}
	return m.heading + m.escape(d.Title) + m.gap + strings.Join(parts, gap)
}

func (m dialect) block(b Block) string {
	lines := make([]string, len(b.Lines))
	for i, l := range b.Lines {
		lines[i] = m.line(l)
	}
	return strings.Join(lines, m.newline)
}

func (m dialect) line(l Line) string {
	var b strings.Builder
	if l.Quote {
		b.WriteString(m.quote)
	}
	for i, s := range l.Spans {
		if l.Links && i > 0 {
			b.WriteString(" · ")
		}
		text := m.span(s)
		if i == 0 {
			text = start(text)
		}
		b.WriteString(text)
	}
	return b.String()
}

func (m dialect) span(s Span) string {
	switch text := m.escapeEdges(s.Text); {
	case text == "":
		return ""
	case s.URL != "":
		return "[" + strings.NewReplacer("[", "［", "]", "］").Replace(text) + "](" + s.URL + ")"
	case s.Bold:
		if text = strings.TrimSpace(text); strings.HasSuffix(text, `\`) {
			text += apart // or it would escape what ends the bold text
		}
		return "**" + text + "**"
	case s.Code && m.code && !strings.ContainsAny(s.Text, "<>[]`@\\"):
		return "`" + oneLine(s.Text) + "`"
	default:
		return text
	}
}

// escapeEdges keeps the spaces with which a span of our own begins or ends.
func (m dialect) escapeEdges(text string) string {
	out := m.escape(text)
	if strings.HasPrefix(text, " ") && out != "" {
		out = " " + out
	}
	if strings.HasSuffix(text, " ") && out != "" {
		out += " "
	}
	return out
}
