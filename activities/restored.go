package activities

import (
	"context"
	"fmt"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/database"
)

// restoredSince says why nothing may be called under a sign-off that was asked at this time, when the records came out of a backup after
// it: what it led to may stand in what was lost. Asked anew, people see the targets as they are now.
func (h *House) restoredSince(ctx context.Context, asked time.Time) (string, error) {
	at, err := h.DB.Restored(ctx)
	if err != nil || at.IsZero() || asked.After(at) {
		return "", err
	}
	return fmt.Sprintf("the records came out of a backup at %s, after people were asked, and do not know what was done in between", at.UTC().Format("2006-01-02 15:04:05 UTC")), nil
}

// requestRestored is restoredSince for a request by its name. One that the records do not know was asked in what was lost.
func (h *House) requestRestored(ctx context.Context, request string) (string, error) {
	if at, err := h.DB.Restored(ctx); err != nil || at.IsZero() {
		return "", err
	}
	v, err := h.DB.Request(ctx, request)
	if database.IsNotFound(err) {
		return "the records came out of a backup and do not know this request", nil
	}
	if err != nil {
		return "", err
	}
	return h.restoredSince(ctx, v.Envelope.Issued)
}
