package matrix

// ofApps are the events that concern one app and can happen side by side.
func ofApps() []event {
	var out []event
	for _, e := range events {
		if !e.act.daemon {
			out = append(out, e)
		}
	}
	return out
}

// ofDaemons are the events that concern all apps, one group for each.
func ofDaemons() [][]event {
	var out [][]event
	for _, e := range events {
		if !e.act.daemon {
			continue
		}
		if n := len(out); n > 0 && out[n-1][0].act == e.act {
			out[n-1] = append(out[n-1], e)
		} else {
			out = append(out, []event{e})
		}
	}
	return out
}

type resultKey struct{ name, mode, way string }

// results is what was seen with one PM2.
type results map[resultKey]outcome

func (r results) add(w way, list []event, seen []outcome) {
	for i := range list {
		r[resultKey{list[i].name, list[i].mode, w.name}] = seen[i]
	}
}
