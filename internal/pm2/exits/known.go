package exits

import "github.com/pm25/pm25/internal/pm2"

// cronJob is the cron job of an app.
type cronJob struct{ name, expression string }

// Gap tells that lines of the log are missing: what was known before explains
// nothing any more.
func (c *Classifier) Gap() {
	c.Flush()
	clear(c.slots)
}

// Know takes PM2's list of processes: what the log, read from some point on,
// cannot tell.
func (c *Classifier) Know(list []pm2.Process) {
	listed := make(map[key]bool, len(list))
	for i := range list {
		p := &list[i]
		k := key{pmID: p.PMID}
		listed[k] = true
		s := c.slot(k, p.Name)
		s.Cluster = p.ExecMode == "cluster"
		s.Cron = p.CronRestart
		if p.Running() && p.Status != pm2.StatusStopping {
			if !s.running {
				s.listed = p.StartedAt
			}
			s.running = true
		}
		if p.Status == pm2.StatusStopping && s.Planned == "" {
			s.Planned = Unknown // its line was written before the log was read
		}
	}
	for k, s := range c.slots {
		if !listed[k] && !s.running {
			delete(c.slots, k)
		}
	}
}

// Describe takes PM2's list for what no line of the log says, the times of
// cron jobs. Unlike Know it may come late: what it says to run may not any more.
func (c *Classifier) Describe(list []pm2.Process) {
	c.crons = make(map[int]cronJob, len(c.crons))
	for i := range list {
		p := &list[i]
		if p.CronRestart != "" {
			c.crons[p.PMID] = cronJob{p.Name, p.CronRestart}
		}
		if s, ok := c.slots[key{pmID: p.PMID}]; ok && s.Name == p.Name {
			s.Cron = p.CronRestart
		}
		if p.Running() {
			c.succeeded(p.PMID)
		}
	}
	c.forget(list)
}

// forget drops what is known of processes that are gone. PM2 gives each new
// one a new id, so apps that come and go would fill the memory.
func (c *Classifier) forget(list []pm2.Process) {
	listed := make(map[int]bool, len(list))
	for i := range list {
		listed[list[i].PMID] = true
	}
	for k, s := range c.slots {
		pending := s.running || s.Planned != "" || s.Memory || s.reloading || s.cronOff
		if !pending && !listed[k.pmID] {
			delete(c.slots, k)
		}
	}
	for name, mark := range c.changed {
		if c.opts.Now().Sub(mark.at) > watchWindow {
			delete(c.changed, name)
		}
	}
}
