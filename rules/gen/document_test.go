package main

import (
	"os"
	"testing"

	"github.com/pm25/pm25/rules/promtests"
)

// TestDocument: docs/alerts.md is what the rules and their tests say.
func TestDocument(t *testing.T) {
	shown, err := promtests.Read("../testdata")
	if err != nil {
		t.Fatal(err)
	}
	committed, err := os.ReadFile("../../docs/alerts.md")
	if err != nil {
		t.Fatal(err)
	}
	if string(committed) != document(shown) {
		t.Error("docs/alerts.md is stale: make generate")
	}
}
