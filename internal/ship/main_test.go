package ship

import (
	"os"
	"testing"
)

// TestMain is also the program that tests kill.
func TestMain(m *testing.M) {
	if os.Getenv(victimEnv) != "" {
		victim()
		return
	}
	os.Exit(m.Run())
}
