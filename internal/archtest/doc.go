// Package archtest holds tests about the source as a whole: which package may import which, and what no package may use.
// It has no code of its own.
package archtest
