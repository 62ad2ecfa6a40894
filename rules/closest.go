package rules

import (
	"fmt"
	"slices"
)

// unknown says that there is no such name, and which was probably meant.
func unknown(what, name string, known []string) error {
	if len(known) == 0 {
		return fmt.Errorf("there is no %s %q", what, name)
	}
	best := slices.MinFunc(known, func(a, b string) int { return distance(name, a) - distance(name, b) })
	return fmt.Errorf("there is no %s %q: did you mean %s?", what, name, best)
}

// distance counts the letters to insert, delete or change to make a into b.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
