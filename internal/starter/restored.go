package starter

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.temporal.io/api/serviceerror"

	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/gateway"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/wire"
)

// toldOfRestore names the setting that holds the restore of which every open run was told.
const toldOfRestore = "told_of_restore"

// TellRestored tells every open run when the records came out of a backup, once for each restore: it takes back what people were asked
// before and asks anew. A run that the workflow engine does not know ends, so that the next alert about its key starts a response.
func (s *Starter) TellRestored(ctx context.Context) error {
	at, err := s.DB.Restored(ctx)
	if err != nil || at.IsZero() {
		return err
	}
	mark := at.Format(time.RFC3339Nano)
	if told, _, err := s.DB.Setting(ctx, toldOfRestore); err != nil || told == mark {
		return err
	}
	for _, state := range []string{"running", "waiting"} {
		for before := ""; ; {
			page, err := s.DB.Runs(ctx, database.Filter{State: state, Before: before, Limit: 500})
			if err != nil {
				return err
			}
			for _, run := range page {
				if err := s.tellRestored(ctx, run, at); err != nil {
					return fmt.Errorf("run %s could not be told that the records came out of a backup: %w", run.ID, err)
				}
				before = run.ID
			}
			if len(page) < 500 {
				break
			}
		}
	}
	return s.DB.PutSetting(ctx, toldOfRestore, mark)
}

func (s *Starter) tellRestored(ctx context.Context, run incident.Run, at time.Time) error {
	err := s.Temporal.SignalWorkflow(ctx, gateway.WorkflowID(run), "", wire.SignalRestored, at)
	if away := new(serviceerror.NotFound); errors.As(err, &away) {
		return s.gone(ctx, run.ID, "the records came out of a backup, and the workflow engine does not know this run")
	}
	return err
}
