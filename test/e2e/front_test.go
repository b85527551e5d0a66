package e2e

import (
	"testing"

	"github.com/tourniquet-ir/tourniquet/test/rig/front"
)

// openFront is what stands before the API processes; it ends with the test.
func openFront(t *testing.T) *front.Front {
	t.Helper()
	f, err := front.Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.Close)
	return f
}
