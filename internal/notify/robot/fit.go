package robot

import (
	"slices"
	"sort"
)

// MaxMentions is how many people one message calls.
const MaxMentions = 20

// maxMention is how many bytes what calls a person may have: the longest ids, those
// of WeCom, have 64. Nobody is called by what is longer, and it would leave the
// message no room.
const maxMention = 256

const (
	maxTitle  = 120 // characters
	maxBlocks = 300
	maxText   = 1000 // of a span
)

// encoding is a Document in a robot's form, and how much of its limit that is.
type encoding func(Document) (body any, size int)

// fit leaves out what has no room: blocks from the last on, whose weight is told,
// and within the first that has not all the room it wants its lines of the
// highest rank. rest is what was left out.
func fit(d Document, limit int, encode encoding) (body any, rest []Block) {
	d.Title = cut(d.Title, maxTitle)
	d.callSome()
	all := make([]Block, min(len(d.Blocks), maxBlocks))
	for i := range all {
		all[i] = d.Blocks[i].cut(maxText)
	}
	beyond := d.Blocks[len(all):]
	d.Left += weight(beyond)
	d.Blocks = all
	if body, size := encode(d.closed()); size <= limit {
		return body, beyond
	}
	if d.List { // its blocks are more worth than what is said of each
		for i, b := range all {
			all[i] = b.upTo(Must)
		}
	}
	with := func(blocks []Block, rest []Block) Document {
		next := d
		next.Blocks = blocks
		next.Left += weight(rest)
		return next
	}
	fits := func(next Document) bool {
		_, size := encode(next.closed())
		return size <= limit
	}
	// The first blocks fit as they are; the next ones may with less.
	n := sort.Search(len(all), func(i int) bool { return !fits(with(all[:i+1], all[i+1:])) })
	taken := append([]Block(nil), all[:n]...)
	for ; n < len(all); n++ {
		rank := ranks - 1
		for rank >= Must && !fits(with(append(taken[:n:n], all[n].upTo(rank)), all[n+1:])) {
			rank--
		}
		if rank < Must {
			break
		}
		taken = append(taken, all[n].upTo(rank))
	}
	if n == 0 && len(all) > 0 {
		taken, n = []Block{shortest(all[0])}, 1
	}
	body, _ = encode(with(taken, all[n:]).closed())
	return body, append(all[n:len(all):len(all)], beyond...)
}

// callSome leaves out people who are too many, and notes how many. Where all are
// called nobody is left out.
func (d *Document) callSome() {
	short := slices.DeleteFunc(slices.Clone(d.Mentions), func(m string) bool { return len(m) > maxMention })
	if len(short) == len(d.Mentions) && len(short) <= MaxMentions {
		return
	}
	if slices.Contains(short, Everybody) {
		d.Mentions = []string{Everybody}
		return
	}
	called := short[:min(len(short), MaxMentions)]
	d.uncalled = len(d.Mentions) - len(called)
	d.Mentions = called
}

// shortest is a block that has room in any message.
func shortest(b Block) Block {
	b = b.upTo(Must).cut(60)
	b.Lines = b.Lines[:min(len(b.Lines), 2)]
	for i, l := range b.Lines {
		b.Lines[i].Spans = l.Spans[:min(len(l.Spans), 4)]
		for j := range b.Lines[i].Spans {
			b.Lines[i].Spans[j].URL = ""
		}
	}
	return b
}

// cut is the block with each text cut.
func (b Block) cut(limit int) Block {
	lines := make([]Line, len(b.Lines))
	for i, l := range b.Lines {
		spans := make([]Span, len(l.Spans))
		for j, s := range l.Spans {
			s.Text = cut(s.Text, limit)
			spans[j] = s
		}
		l.Spans = spans
		lines[i] = l
	}
	b.Lines = lines
	return b
}

func (b Block) upTo(rank int) Block {
	lines := make([]Line, 0, len(b.Lines))
	for _, l := range b.Lines {
		if l.Rank <= rank {
			lines = append(lines, l)
		}
	}
	b.Lines = lines
	return b
}

func weight(blocks []Block) (sum int) {
	for _, b := range blocks {
		sum += b.Weight
	}
	return sum
}

// closed is the document with the lines that say what and who was left out, and its
// foot.
func (d Document) closed() Document {
	var last Block
	if d.Left > 0 && d.More != nil {
		last.Lines = append(last.Lines, d.More(d.Left))
	}
	if d.uncalled > 0 && d.Uncalled != nil {
		last.Lines = append(last.Lines, d.Uncalled(d.uncalled))
	}
	if len(d.Foot.Spans) > 0 {
		last.Lines = append(last.Lines, d.Foot)
	}
	if len(last.Lines) > 0 {
		d.Blocks = append(append([]Block(nil), d.Blocks...), last)
	}
	return d
}
