package sessionstore

import (
	"time"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/pm25/pm25/internal/record"
)

// Selection chooses entries. Stream matchers are those of LogQL's selector, on
// record.Record.StreamLabels; an absent label is the empty text.
type Selection struct {
	Matchers   []*labels.Matcher
	Start, End int64 // nanoseconds since 1970: from Start on, before End
	Backward   bool  // newest first
	// NoLines says that lines are not looked at: Entry.Line may be left empty.
	NoLines bool
	// After continues behind the entry with this time and id, in the chosen
	// direction; zero starts at the edge.
	After Cursor
}

// Cursor is the place of an entry in the order of all: by time, then by id.
type Cursor struct {
	At int64
	ID string
}

// Stream is one set of stream labels. Streams are shared between entries and
// are never changed.
type Stream struct {
	ID     int64         // of this store, and of as long as it is open
	Labels labels.Labels // of record.Record.StreamLabels, those that are not empty
}

// Entry is a record as a line of a log.
type Entry struct {
	Cursor
	Stream   *Stream
	Line     string
	Metadata []record.Pair // sorted by name
}

// Volume is how much there is in a selection. Bytes are those of lines and of the
// names and values of metadata.
type Volume struct{ Streams, Entries, Bytes int64 }

// Cells divide time into pieces of the same width: the k-th is behind
// Start+k*Width, up to and with its end, as the windows of LogQL are.
type Cells struct {
	Start int64 // nanoseconds since 1970
	Width time.Duration
	Count int
	// Occurrences says that they are looked at.
	Occurrences bool
}

// Count is how many entries there are, and how many occurrences exceptions among
// them stand for.
type Count struct{ Entries, Occurrences int64 }
