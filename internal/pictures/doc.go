// Package pictures takes the pictures in docs/pictures: what people see of
// `pm25 up`, on real PM2 and on simulated hosts, in a real browser. It has no
// code of its own; its tests have the build tags pictures and boards, and also find
// pages that a browser complains of or that are wider than their window.
//
// Boards are not taken in Grafana, but in the page of tools/boards.
package pictures
