package main

import (
	"context"
	"log/slog"
	"time"

	"go.uber.org/fx"

	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/evidence"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

const (
	retireEvery = time.Hour
	mostRetired = 50 // runs of one round, so that a round never holds up anything else for long
)

// keepRetention erases what runs said when the stated period after their end is over; without one nothing is erased.
func keepRetention(s settings, db *database.DB, ev *evidence.Store, lc fx.Lifecycle) {
	keep := s.Config.Evidence.Keep.Std()
	if keep <= 0 {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	lc.Append(fx.Hook{
		OnStart: func(context.Context) error {
			go func() {
				defer close(done)
				tick := time.NewTicker(retireEvery)
				defer tick.Stop()
				for {
					retire(ctx, db, ev, time.Now(), keep, s.Log)
					select {
					case <-ctx.Done():
						return
					case <-tick.C:
					}
				}
			}()
			return nil
		},
		OnStop: func(context.Context) error { cancel(); <-done; return nil },
	})
}

// retire is one round. A run whose evidence cannot be removed is left for the next.
func retire(ctx context.Context, db *database.DB, ev *evidence.Store, now time.Time, keep time.Duration, log *slog.Logger) {
	runs, err := db.Expired(ctx, now.Add(-keep), mostRetired)
	if err != nil {
		log.Error("what is older than evidence.keep could not be read", "error", err)
		return
	}
	for _, r := range runs {
		err := forget(ctx, db, ev, r)
		if err == nil {
			err = db.Retire(ctx, r, now)
		}
		if err != nil {
			log.Error("a run older than evidence.keep could not be retired; it is tried again", "run", r.ID, "error", err)
			continue
		}
		log.Info("a run older than evidence.keep was retired", "run", r.ID, "finished", r.FinishedAt)
	}
}

// forget removes a run's blobs, except those that another run needs.
func forget(ctx context.Context, db *database.DB, ev *evidence.Store, r incident.Run) error {
	list, err := db.EvidenceOf(ctx, r.ID)
	if err != nil {
		return err
	}
	for _, e := range list {
		used, err := db.UsedElsewhere(ctx, e.Digest, r.ID)
		if err == nil && !used {
			err = ev.Forget(ctx, e.Digest)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
