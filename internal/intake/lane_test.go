package intake_test

import (
	"context"
	"testing"

	"github.com/tourniquet-ir/tourniquet/internal/database"
)

// TestIncidentsOfOneSourceDoNotWaitForEachOtherButKeepTheirOrder: of three alerts of one source the first hangs; the one
// of another incident passes, and the one of the same incident waits for its turn.
func TestIncidentsOfOneSourceDoNotWaitForEachOtherButKeepTheirOrder(t *testing.T) {
	t.Parallel()
	q := newQueue("s", "s", "s")
	for i, id := range []string{"inc-a", "inc-a", "inc-b"} {
		q.list[i].Incident = id
	}
	release := make(chan struct{})
	run(t, q, func(ctx context.Context, p database.Pending) (string, string, string, error) {
		if p.Alert.ID == "al-0" {
			select {
			case <-release:
			case <-ctx.Done():
				return "", "", "", ctx.Err()
			}
		}
		return started()
	}, nil)
	q.wait(t, "al-2 started")
	close(release)
	q.wait(t, "al-0 started")
	q.wait(t, "al-1 started")
}
