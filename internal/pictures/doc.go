// Package pictures takes the pictures in docs/pictures: what people see of
// `pm25 up`, on real PM2 and on simulated hosts, in a real browser. It has no
// code of its own; its test has the build tag pictures, and also finds pages
// that a browser complains of or that are wider than their window.
package pictures
