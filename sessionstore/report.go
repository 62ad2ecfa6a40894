package sessionstore

// Report is what a check of a store found.
type Report struct {
	Records, Streams, Groups int64
	Problems                 []Problem // none: the store is sound
}

// Problem is something in a store that is not as it should be.
type Problem struct {
	What     string // in words, for people
	Count    int64  // of rows or objects
	Repaired bool
}

// Sound is true if there is no problem, or none that is left.
func (r Report) Sound() bool {
	for _, p := range r.Problems {
		if !p.Repaired {
			return false
		}
	}
	return true
}
