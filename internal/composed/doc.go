// Package composed runs what docker-compose.yml runs, with its very flags and
// files, and without containers: PM2, the agent, the server and a Prometheus in
// a network namespace in which the services have their names. In Alertmanager's
// place is that of `pm25 up`, with the file that would be mounted.
//
// It does not see what only an engine does: images, volumes, users, the pid
// namespace. It is for tests only.
package composed
