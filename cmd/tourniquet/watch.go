package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/report"
)

// follow is one run being watched.
type follow struct {
	sh   *shell
	r    *remote
	id   string
	seen int64
	lost int
}

const (
	lookEvery   = time.Second
	lostAtMost  = 60 // looks without an answer before we give up
	watchNotice = "tourniquet does not answer; still trying"
)

func (sh *shell) runWatchCmd() *cobra.Command {
	var timeout, every time.Duration
	c := &cobra.Command{Use: "watch RUN", Short: "Follow a run until it is done", Args: one("the id of a run"), ValidArgsFunction: sh.ids("/v1/runs"),
		Long: "Follow a run until it is done. Exit 0 when it ends contained or as a false alarm, 1 when it ends otherwise, 3 when --timeout passes first.",
		RunE: func(cmd *cobra.Command, args []string) error {
			r, err := sh.remote(cmd)
			if err != nil {
				return err
			}
			if every <= 0 {
				return misuse("--every takes a time such as 1s")
			}
			ctx := cmd.Context()
			if timeout > 0 {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, timeout)
				defer cancel()
			}
			return (&follow{sh: sh, r: r, id: args[0]}).until(ctx, every)
		}}
	c.Flags().DurationVar(&timeout, "timeout", 0, "stop following after this time (default: never)")
	c.Flags().DurationVar(&every, "every", lookEvery, "how often to look")
	return c
}

// until looks again and again; the run itself does not notice.
func (f *follow) until(ctx context.Context, every time.Duration) error {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		done, err := f.look(ctx)
		if done {
			return err
		}
		if ctx.Err() == nil && err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return &coded{exitWaiting, fmt.Errorf("run %q is still going on; look again with: tourniquet run watch %s", f.id, f.id)}
		case <-tick.C:
		}
	}
}

// look prints what is new and says whether the run is done.
func (f *follow) look(ctx context.Context) (done bool, err error) {
	var facts report.Facts
	_, err = f.r.get(ctx, runPath(f.id), &facts)
	if away := new(unreachable); errors.As(err, &away) && ctx.Err() == nil && f.lost < lostAtMost && f.seen > 0 {
		if f.lost++; f.lost == 1 {
			f.sh.talk(watchNotice)
		}
		return false, nil
	}
	if err != nil {
		return false, err
	}
	f.lost = 0
	for _, m := range facts.Timeline {
		if m.Seq <= f.seen {
			continue
		}
		f.seen = m.Seq
		if err := f.tell(m); err != nil {
			return true, err
		}
	}
	if facts.Run.State != "done" {
		return false, nil
	}
	return true, f.end(&facts)
}

func (f *follow) tell(m report.Moment) error {
	if f.sh.JSON {
		return f.sh.printLine(m)
	}
	return f.sh.say("%s  %-10s %-9s %s", stamp(m.At), m.Since, m.Lane, strings.Join(strings.Fields(m.Step+" "+m.Say), " "))
}

func (f *follow) end(facts *report.Facts) error {
	var err error
	if f.sh.JSON {
		err = f.sh.printLine(map[string]string{"run_id": facts.Run.ID, "state": facts.Run.State, "outcome": facts.Run.Outcome})
	} else {
		err = f.sh.say("%s: %s", facts.Run.ID, facts.Outcome())
	}
	if o := facts.Run.Outcome; err == nil && o != incident.OutcomeContained && o != incident.OutcomeFalseAlarm {
		return &coded{exitFailed, fmt.Errorf("the run ended as %s", facts.Outcome())}
	}
	return err
}
