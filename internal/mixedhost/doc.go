// Package mixedhost tests pm25-ext on a host like many: Node.js apps of several
// kinds beside Python, bash and an app that npm starts, under a real PM2. It is
// turned on by the commands that the plan prints, removed as a package is, and
// turned off again; every app has to be online at every step.
// It has no code of its own.
//
// The tests have the build tag routes: they need the frameworks of ext/test and
// a built Next app, which `make mixed-host` sees to.
package mixedhost
