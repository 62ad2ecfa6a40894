package simagent

// role is an app as hosts run it.
type role struct {
	name      string
	workers   int     // more than 0: cluster mode
	cpu       float64 // share of a core, on average
	memory    float64 // MiB
	limit     float64 // max_memory_restart in MiB; the app leaks towards it
	logs      float64 // lines a second
	sleeps    bool    // a cron job: stopped most of the time
	old       bool    // reports slow requests as pmx does, and nothing else
	published string  // name of a value it publishes through @pm2/io
}

// cast is what runs on a host, again and again until there are processes
// enough.
var cast = []role{
	{name: "shop-web", workers: 4, cpu: 0.12, memory: 95, logs: 4, published: "Open carts"},
	{name: "shop-api", workers: 4, cpu: 0.22, memory: 120, logs: 8, published: "Requests in flight"},
	{name: "order-service", workers: 2, cpu: 0.09, memory: 110, logs: 2},
	{name: "mailer", cpu: 0.01, memory: 60, logs: 0.2, published: "Queue"},
	{name: "reports", cpu: 0.05, memory: 90, limit: 300, logs: 0.5},
	{name: "payments", workers: 2, cpu: 0.06, memory: 85, logs: 1},
	{name: "search", workers: 2, cpu: 0.3, memory: 210, logs: 1},
	{name: "images", cpu: 0.15, memory: 140, logs: 0.3},
	{name: "nightly-backup", memory: 50, sleeps: true},
	{name: "stock-sync", cpu: 0.03, memory: 70, logs: 0.4},
	{name: "legacy", cpu: 0.002, memory: 45, logs: 0.01, old: true},
}
