// Package routes holds the tests of pm25-ext and pm25-agent as one chain, from
// a request that an app under a real PM2 answers to the histogram that
// Prometheus reads: that each request counts once, whatever happens to apps and
// agent meanwhile, how far quantiles are off, and what it costs. It has no code
// of its own.
//
// The tests have the build tag routes; with PM25_ROUTES_WRITE=1 they write what
// they measured into docs/slow-routes.md.
package routes
