package dashboards

// A board as its file describes it. What is common to all panels, such as colors,
// sizes of legends and the grid, is decided where it is built.
type board struct {
	uid         string
	title       text
	about       text
	from        string // begin of the time range: now-1h
	variables   []string
	annotations []string
	rows        []row
}

// row is a titled band of panels, left to right and then down. What is collapsed
// asks nothing until it is opened.
type row struct {
	title     text
	collapsed bool
	panels    []panel
}

// kind is a type of panel, as Grafana calls its plugins.
type kind string

const (
	stat     kind = "stat"
	graph    kind = "timeseries"
	table    kind = "table"
	bars     kind = "bargauge"
	timeline kind = "state-timeline"
	heat     kind = "heatmap"
	lines    kind = "logs"
)

type panel struct {
	kind    kind
	title   text
	about   text // what it shows, and what to make of it
	w, h    uint32
	unit    unit
	targets []target

	steps   []step   // colors by value; none: no color says anything
	limits  bool     // a graph: draw the steps as lines
	stacked bool     // a graph
	columns bool     // a graph: bars, for what is counted per interval
	top     *float64 // highest value of the axis
	values  []value  // names for values
	empty   text     // where there is nothing: none means that is as good as 0
	links   []link   // of a value
	fields  []field  // a table: its columns, in order; others are hidden
	sort    string   // a table: name of the column, "-" before it: descending
	styles  []style  // a graph: series that look different
	spark   bool     // a stat: with a graph behind it
}

// target is one query. PromQL, unless loki is set; see expand for what stands for
// matchers and labels in it.
type target struct {
	expr    string
	legend  string
	loki    bool
	instant bool
	heat    bool // buckets of a histogram
	// exemplars draws single observations of what is asked, as points. Grafana asks
	// for them only where no query before this one names the same histogram.
	exemplars bool
	ref       string // A, B, … unless said
}

// step is a color from a value on.
type step struct {
	from  float64
	color string
}

// value is a name and a color for a value, or for a range of values.
type value struct {
	is       string // a value; or
	from, to float64
	text     text
	color    string
}

// link goes to another board, with the labels of what was clicked.
type link struct {
	title text
	board string   // uid
	set   []string // labels that become variables
	url   string   // somewhere else; a template of Grafana
}

// field is a column of a table: a label, or the value of the target ref.
type field struct {
	name   string // label, or "#A"
	title  text
	unit   unit
	steps  []step
	values []value
	links  []link
	width  float64
	plain  bool // colored text instead of a colored cell
	gauge  bool // a bar in the cell; needs max
	max    float64
}

// style makes the series whose legend matches look different.
type style struct {
	match  string // regular expression
	color  string
	dashed bool
}

// unit is one of Grafana's units with the decimals that suit it.
type unit struct {
	id       string
	decimals float64
}

var (
	count     = unit{"short", 0}
	fraction  = unit{"short", 2}
	bytesize  = unit{"bytes", 1}
	seconds   = unit{"s", 1}
	share     = unit{"percentunit", 1}
	requestsS = unit{"reqps", 1}
	perSecond = unit{"cps", 2}
	ago       = unit{"dateTimeFromNow", 0}
	plainText = unit{"string", 0}
)

// Colors of numbers, cells, timelines and limits: green, orange and red say good,
// look and bad. Lines that mean no state take Grafana's palette.
const (
	green  = "green"
	orange = "orange"
	red    = "red"
	blue   = "blue"
	gray   = "#808080"
	purple = "purple"
)

// once is a count of one: increase() gives fractions, which are shown rounded.
const once = 0.5

// bad turns red from a value on; worse turns orange and then red; atLeast is red
// below the first value, orange below the second.
func bad(from float64) []step { return []step{{0, green}, {from, red}} }

func worse(look, bad float64) []step { return []step{{0, green}, {look, orange}, {bad, red}} }

func look(from float64) []step { return []step{{0, green}, {from, orange}} }

func atLeast(bad, look float64) []step { return []step{{0, red}, {bad, orange}, {look, green}} }
