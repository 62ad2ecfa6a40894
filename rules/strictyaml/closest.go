package strictyaml

import (
	"slices"
	"strings"
)

// fewNames are told in full, however near one of them is.
const fewNames = 12

// Known says which of the known names was probably meant by one that is none of
// them, and which there are: "did you mean B? known here: A, B". Of many names only
// the nearest is told, if one is near.
func Known(name string, known []string) string {
	var parts []string
	closest := Closest(name, known)
	if closest != "" {
		parts = append(parts, "did you mean "+closest+"?")
	}
	if closest == "" || len(known) <= fewNames {
		parts = append(parts, "known here: "+strings.Join(known, ", "))
	}
	return strings.Join(parts, " ")
}

// Closest is the known name that is written most like another one; "" where none is
// written like it in at least half of its letters.
func Closest(name string, known []string) string {
	if len(known) == 0 || len(name) > 256 { // the time is the product of the lengths
		return ""
	}
	best := slices.MinFunc(known, func(a, b string) int { return distance(name, a) - distance(name, b) })
	if distance(name, best)*2 > max(len(name), len(best)) {
		return ""
	}
	return best
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
