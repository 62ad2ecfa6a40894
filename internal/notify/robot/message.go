package robot

import (
	"bytes"
	"encoding/json"
	"strings"
)

// Everybody is the mention that calls all.
const Everybody = "all"

// message is a Document in the form of the kind, within its limit.
func (k Kind) message(d Document) (body any, rest []Block) {
	encode := map[Kind]encoding{DingTalk: dingTalk, Feishu: feishu, WeCom: weCom}[k]
	return fit(d, k.Limit().Bytes, encode)
}

type object = map[string]any

// dingTalk is a message of type markdown: the only one with links in which
// people can be called. They have to be named in the text too.
func dingTalk(d Document) (any, int) {
	at := object{"isAtAll": false}
	var mobiles, ids, names []string
	for _, m := range d.Mentions {
		switch {
		case m == Everybody:
			at["isAtAll"] = true
			continue
		case strings.Trim(m, "+-0123456789") == "":
			mobiles = append(mobiles, m)
		default:
			ids = append(ids, m)
		}
		names = append(names, "@"+mention(m))
	}
	if len(mobiles) > 0 {
		at["atMobiles"] = mobiles
	}
	if len(ids) > 0 {
		at["atUserIds"] = ids
	}
	text := dingTalkMarkdown.document(d)
	if len(names) > 0 {
		text += "\n\n" + strings.Join(names, " ")
	}
	body := object{"msgtype": "markdown", "markdown": object{"title": oneLine(d.Title), "text": text}, "at": at}
	return body, len(encoded(body))
}

// weCom is a message of type markdown; people are called in its text.
func weCom(d Document) (any, int) {
	text := weComMarkdown.document(d)
	if len(d.Mentions) > 0 {
		text += "\n"
		for _, m := range d.Mentions {
			text += "<@" + mention(m) + ">"
		}
	}
	return object{"msgtype": "markdown", "markdown": object{"content": text}}, len(text)
}

// feishu is a card with buttons.
func feishu(d Document) (any, int) {
	var elements []any
	var text []string
	flush := func() {
		if len(text) > 0 {
			elements = append(elements, object{"tag": "markdown", "content": strings.Join(text, "\n")})
			text = nil
		}
	}
	for i, b := range d.Blocks {
		if i > 0 && !d.List {
			flush()
			elements = append(elements, object{"tag": "hr"})
		}
		for _, l := range b.Lines {
			if !l.Links {
				text = append(text, feishuMarkdown.line(l))
				continue
			}
			flush()
			elements = append(elements, buttons(l))
		}
	}
	if len(d.Mentions) > 0 {
		var called strings.Builder
		for _, m := range d.Mentions {
			called.WriteString("<at id=" + mention(m) + "></at>")
		}
		text = append(text, called.String())
	}
	flush()
	body := object{"msg_type": "interactive", "card": object{
		"config":   object{"wide_screen_mode": true},
		"header":   object{"template": color(d.Tone), "title": object{"tag": "plain_text", "content": oneLine(d.Title)}},
		"elements": elements,
	}}
	const signed = 100 // what the signature takes
	return body, len(encoded(body)) + signed
}

func buttons(l Line) object {
	actions := []any{}
	for _, s := range l.Spans {
		if s.URL != "" {
			actions = append(actions, object{"tag": "button", "type": "default", "text": object{"tag": "plain_text", "content": oneLine(s.Text)}, "url": s.URL})
		}
	}
	return object{"tag": "action", "actions": actions}
}

func color(t Tone) string {
	return map[Tone]string{Calm: "blue", Warning: "orange", Critical: "red", Over: "green"}[t]
}

// mention is the id of a person, without what would end the mention.
func mention(id string) string {
	id = strings.Map(func(r rune) rune {
		if strings.ContainsRune("<>[]()@\"'`", r) || r <= ' ' {
			return -1
		}
		return r
	}, oneLine(id))
	return cut(id, 64)
}

// encoded is JSON without HTML's escapes, which would cost room.
func encoded(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(err) // maps, texts and booleans
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}
