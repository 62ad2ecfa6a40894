package server

import (
	"github.com/pm25/pm25/internal/api"
	"github.com/pm25/pm25/sessionstore"
)

func groupView(g sessionstore.Group) api.Group {
	out := api.Group{
		ID: g.ID, Bucket: g.Bucket, Namespace: g.Namespace, App: g.App, Title: g.Title, Culprit: g.Culprit, Level: g.Level, Handled: g.Handled,
		State: string(g.State), FirstSeen: g.FirstSeen.UTC(), LastSeen: g.LastSeen.UTC(), Count: g.Count, Hosts: g.Hosts,
		FirstVersion: g.FirstVersion, Version: g.Version, Changed: api.Time(g.Changed), ChangedBy: g.ChangedBy,
		ResolvedIn: g.ResolvedIn, ResolvedNext: g.ResolvedNext, MutedUntil: api.Time(g.MutedUntil), MutedCount: g.MutedCount,
		Owner: g.Owner, Note: g.Note, Algo: g.Algo, Fingerprint: g.Fingerprint,
	}
	if out.Hosts == nil {
		out.Hosts = []string{}
	}
	return out
}

func runView(r sessionstore.Run) api.Run {
	out := api.Run{
		Bucket: r.Bucket, Host: r.Host, Daemon: r.Daemon, Namespace: r.Namespace, App: r.App, PMID: r.PMID, PID: r.PID,
		Started: api.Time(r.Started), Ended: api.Time(r.Ended), Version: r.Version, Revision: r.Revision,
		Reason: r.Reason, Signal: r.Signal, PeakMemory: r.PeakMemory, Exceptions: r.Exceptions,
	}
	if !r.Ended.IsZero() && r.Code >= 0 {
		out.Code = &r.Code
	}
	return out
}

func bucketView(b sessionstore.Bucket) api.Bucket {
	out := api.Bucket{Name: b.Name, Created: b.Created.UTC(), Tokens: make([]api.Token, len(b.Tokens))}
	for i, t := range b.Tokens {
		out.Tokens[i] = tokenView(t)
	}
	return out
}

func tokenView(t sessionstore.Token) api.Token {
	return api.Token{ID: t.ID, Created: t.Created.UTC(), LastUsed: api.Time(t.LastUsed), Expires: api.Time(t.Expires), Revoked: api.Time(t.Revoked)}
}

func hostView(h sessionstore.Host) api.Host {
	return api.Host{
		Bucket: h.Bucket, Name: h.Name, AgentVersion: h.AgentVersion, Advertise: h.Advertise, Scheme: h.Scheme,
		FirstSeen: h.FirstSeen.UTC(), LastSeen: h.LastSeen.UTC(),
	}
}
