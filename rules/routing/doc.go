// Package routing says who is told of which alert, when, and in what words: it
// reads the two files in which an operator says so, and writes the configuration
// of Alertmanager and its templates.
//
// All is pure: values in, text out. No file is read, nothing is sent, and no
// code of Alertmanager is used (tests do, to hold that it takes what is
// written). Secrets are named by the files that hold them, except for the URL of
// a plain webhook, which no error repeats.
package routing
