package discovery

import (
	"fmt"
	"hash/fnv"
	"slices"
	"strconv"
	"strings"
)

// maxLabel is the longest label in bytes.
const maxLabel = 128

// How firmly a label is given.
const (
	labelFree    = iota // to be made
	labelKnown          // given in an earlier pass
	labelOrdered        // NAME= in the configuration
)

// naming is what the label of one home is made from.
type naming struct {
	key       string // tells homes apart; the order of keys settles what else is equal
	owner     string
	container string
	home      string
	isDefault bool // the home that PM2 takes for that user by itself
	given     string
	rank      int
}

// assignLabels gives each home its label. The result depends on the set, not on its
// order. Given labels stay unless two are equal.
//
// A user's default home is called by the user's name; any other home of that user gets
// the shortest end of its path that no other has: deploy, deploy:shop, deploy:a/app.
// Homes in a container get "@" and the container's name.
func assignLabels(list []naming) []string {
	order := make([]int, len(list))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		if list[a].rank != list[b].rank {
			return list[b].rank - list[a].rank
		}
		return strings.Compare(list[a].key, list[b].key)
	})
	labels := make([]string, len(list))
	taken := map[string]bool{}
	take := func(i int, label string) {
		labels[i], taken[label] = label, true
	}
	var free []int
	for _, i := range order {
		if n := list[i]; n.rank > labelFree && n.given != "" && !taken[n.given] {
			take(i, n.given)
		} else {
			free = append(free, i)
		}
	}
	for _, i := range free {
		take(i, freeLabel(list, i, taken))
	}
	return labels
}

func freeLabel(list []naming, i int, taken map[string]bool) string {
	n := list[i]
	who, where := n.owner, ""
	if who == "" {
		who = "unknown"
	}
	if n.container != "" {
		where = "@" + n.container
	}
	var label string
	if n.isDefault {
		label = fit(who+where, n.key)
	} else {
		parts := homeParts(n.home)
		for k := 1; k <= len(parts); k++ {
			label = fit(who+":"+strings.Join(parts[len(parts)-k:], "/")+where, n.key)
			if !taken[label] && !sharedEnd(list, i, parts, k) {
				break
			}
		}
	}
	if !taken[label] {
		return label
	}
	for k := 2; ; k++ {
		suffix := "~" + strconv.Itoa(k)
		if l := head(label, maxLabel-len(suffix)) + suffix; !taken[l] {
			return l
		}
	}
}

// sharedEnd says whether another home of the same user and container ends alike.
func sharedEnd(list []naming, i int, parts []string, k int) bool {
	for j, o := range list {
		if j == i || o.isDefault || o.owner != list[i].owner || o.container != list[i].container {
			continue
		}
		other := homeParts(o.home)
		if len(other) >= k && slices.Equal(other[len(other)-k:], parts[len(parts)-k:]) {
			return true
		}
	}
	return false
}

// homeParts are the components of a home that tell something: not a last ".pm2".
func homeParts(home string) []string {
	parts := strings.FieldsFunc(home, func(r rune) bool { return r == '/' })
	if n := len(parts); n > 1 && parts[n-1] == ".pm2" {
		parts = parts[:n-1]
	}
	if len(parts) == 0 {
		return []string{"/"}
	}
	return parts
}

// fit makes a label printable and short enough; one that is cut keeps its difference
// from others in a hash.
func fit(label, key string) string {
	label = printable(label)
	if len(label) <= maxLabel {
		return label
	}
	h := fnv.New32a()
	h.Write([]byte(key))
	suffix := fmt.Sprintf("~%08x", h.Sum32())
	return head(label, maxLabel-len(suffix)) + suffix
}
