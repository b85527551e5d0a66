package report

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/tourniquet-ir/tourniquet/internal/database"
)

// JSON tells a run to machines.
func JSON(ctx context.Context, db *database.DB, run string) ([]byte, error) {
	f, err := Load(ctx, db, run)
	if err != nil {
		return nil, err
	}
	return f.JSON()
}

// JSON is the same of facts that are loaded.
func (f *Facts) JSON() ([]byte, error) {
	body, err := json.MarshalIndent(f, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("report of run %q: %w", f.Run.ID, err)
	}
	return append(Neutral(body), '\n'), nil
}
