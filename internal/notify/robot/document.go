package robot

// Document is what one message says, before it is written in a robot's markup.
// All texts are plain.
type Document struct {
	Title    string // one line
	Tone     Tone
	Mentions []string // people to call, as the kind names them; "all" is everybody
	Blocks   []Block  // the most urgent first: the last are left out where room lacks
	List     bool     // blocks are lines of a list, with no gaps between them
	// More says how much was left out, by weight; Next instead, where another
	// message follows with it.
	More, Next func(left int) Line
	// Uncalled says how many people are not called, because a message calls
	// MaxMentions at most: the first.
	Uncalled func(people int) Line
	Foot     Line
	// Left is the weight of what the caller has left out already.
	Left     int
	uncalled int
}

// Tone is the color of a message.
type Tone int

// The tones.
const (
	Calm Tone = iota // of what is over, or only for information
	Warning
	Critical
	Over
)

// Block is what belongs together, such as all that is said of one alert.
type Block struct {
	Lines  []Line
	Weight int // what it counts for when it is left out
}

// Line is one line. Those with a higher rank are left out first where room lacks;
// those of rank 0 always stay, cut where they are long.
type Line struct {
	Spans []Span
	Rank  int
	Quote bool // it is what an app said
	Links bool // its spans are links: buttons, where there are such
}

// Ranks of lines.
const (
	Must   = iota
	Links  // where to go
	Answer // what a person would look up first
	Detail // what the alert means
	Log    // what the app said
	ranks
)

// Span is a piece of a line in one form.
type Span struct {
	Text string
	Bold bool
	Code bool   // to copy
	URL  string // http or https; empty: no link
}

// Text is a span of plain text.
func Text(text string) Span { return Span{Text: text} }

// Bold is a span in bold.
func Bold(text string) Span { return Span{Text: text, Bold: true} }

// Code is a span to copy.
func Code(text string) Span { return Span{Text: text, Code: true} }

// Link is a span that leads somewhere. A URL that is not one of the web's is left
// out.
func Link(text, address string) Span { return Span{Text: text, URL: safeURL(address)} }
