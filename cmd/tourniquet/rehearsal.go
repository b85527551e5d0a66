package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/evidence"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/sandbox"
	"github.com/tourniquet-ir/tourniquet/internal/seal"
)

// drillLook is how often a drill looks at our own records for news.
const drillLook = 100 * time.Millisecond

// rehearsal is one drill under way.
type rehearsal struct {
	sh       *shell
	scenario sandbox.Scenario
	stage    *sandbox.Stage
	scripted bool
	cast     []sandbox.ScriptedPerson // who presses when scripted; nil: the sandbox's own people
	makers   []string                 // who may make a key by hand, by id, in this order; nil: ana
	typing   chan string              // lines from the terminal; it is closed with it
	delay    time.Duration
	url      string
	viewer   string // opens the console once, for looking
	log      *slog.Logger
	close    func() error

	db       *database.DB
	evidence *evidence.Store
	signer   *seal.Signer

	began time.Time
	alert time.Time
	run_  incident.Run
	told  map[string]string
}

// say talks on stderr: stdout is for the answer.
func (d *rehearsal) say(format string, args ...any) {
	_, _ = fmt.Fprintf(d.sh.Talk, format+"\n", args...)
}

func (d *rehearsal) clock() string {
	return time.Since(d.began).Truncate(100 * time.Millisecond).String()
}

// run lets the thief loose, sends the alert and waits for the end of the run.
func (d *rehearsal) run(ctx context.Context) error {
	d.began, d.told = time.Now(), map[string]string{}
	if err := d.stage.Exercise(ctx); err != nil {
		return fmt.Errorf("the sandbox's applications do not work before the theft: %w", err)
	}
	d.say("\n  console        %s/sign-in?link=%s\n  sandbox Slack  %s\n", d.url, d.viewer, d.stage.SlackURL)
	d.say("%6s  %s", d.clock(), d.scenario.Summary)
	if err := d.stage.Intrude(ctx); err != nil {
		return err
	}
	defer d.stage.Use()()
	if err := sleep(ctx, d.scenario.Spend); err != nil {
		return err
	}
	people, stopPeople := context.WithCancel(ctx)
	defer stopPeople()
	go d.people(people)
	alertID, err := d.sendAlert(ctx)
	if err != nil {
		return err
	}
	if err := d.follow(ctx, alertID); err != nil {
		return err
	}
	return d.stage.Exercise(ctx)
}

// sendAlert is the finding as its source posts it; where nobody tells, the product's own watch must.
func (d *rehearsal) sendAlert(ctx context.Context) (string, error) {
	if d.scenario.Unannounced {
		return d.ownAlert(ctx)
	}
	d.alert = time.Now()
	status, body, err := d.stage.Alert(ctx, d.url)
	if err != nil {
		return "", err
	}
	var got struct {
		AlertID string `json:"alert_id"`
	}
	if status != http.StatusAccepted || json.Unmarshal(body, &got) != nil || got.AlertID == "" {
		return "", fmt.Errorf("the alert was answered %d: %s", status, body)
	}
	d.say("%6s  the alert is in: %s", d.clock(), got.AlertID)
	return got.AlertID, nil
}

// ownAlert waits until the watch has raised an alert by itself.
func (d *rehearsal) ownAlert(ctx context.Context) (string, error) {
	d.say("%6s  nobody tells; the watch looks every second", d.clock())
	for {
		got, err := d.db.Alerts(ctx, 1000, "")
		if err != nil {
			return "", err
		}
		if len(got) > 0 {
			first := got[len(got)-1].Alert
			d.alert = first.ReceivedAt
			d.say("%6s  the watch raised %s: %s", d.clock(), first.ID, first.Title)
			return first.ID, nil
		}
		if err := sleep(ctx, drillLook); err != nil {
			return "", fmt.Errorf("the watch has not noticed anything: %w", err)
		}
	}
}

// follow tells what happens until the run is done.
func (d *rehearsal) follow(ctx context.Context, alertID string) error {
	tick := time.NewTicker(drillLook)
	defer tick.Stop()
	for {
		done, err := d.look(ctx, alertID)
		if err != nil || done {
			return err
		}
		select {
		case <-ctx.Done():
			return &coded{exitWaiting, fmt.Errorf("the drill was given up while run %s was %s", d.run_.ID, d.run_.State)}
		case <-tick.C:
		}
	}
}

func (d *rehearsal) look(ctx context.Context, alertID string) (bool, error) {
	fate, err := d.db.AlertFate(ctx, alertID)
	if err != nil || fate.Run == "" {
		if err == nil && (fate.Fate == incident.FateRecorded || fate.Fate == incident.FateSetAside) {
			err = errors.New("the alert started no run: " + fate.Reason)
		}
		return false, err
	}
	if d.run_, err = d.db.Run(ctx, fate.Run); err != nil {
		return false, err
	}
	steps, err := d.db.Steps(ctx, fate.Run)
	if err != nil {
		return false, err
	}
	for _, s := range steps {
		if d.told[s.Path] != s.Status {
			d.told[s.Path] = s.Status
			d.say("%6s  %-9s %-28s %s", d.clock(), s.Status, s.Path, summaryOf(s))
		}
	}
	return d.run_.State == "done", nil
}

// summaryOf is what a step says about itself.
func summaryOf(s database.StepRow) string {
	if s.Error != "" {
		return s.Error
	}
	var out map[string]any
	if json.Unmarshal(s.Outputs, &out) == nil {
		for _, name := range []string{"summary", "detail", "url", "told", "choice"} {
			if text, ok := out[name].(string); ok {
				return text
			}
		}
	}
	return s.Title
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
