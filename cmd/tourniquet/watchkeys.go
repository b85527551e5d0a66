package main

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tourniquet-ir/tourniquet/internal/lookout"
	"github.com/tourniquet-ir/tourniquet/internal/watch"
)

func (sh *shell) watchCmd() *cobra.Command {
	c := online(group("watch", "What keys usually cost, and what the watch makes of it",
		sh.watchStatusCmd(), sh.watchExplainCmd(), sh.watchForgetCmd()))
	c.AddCommand(sh.watchReplayCmd())
	return c
}

func (sh *shell) watchStatusCmd() *cobra.Command {
	return &cobra.Command{Use: "status", Short: "Every watched key: last look, delay, baseline, next look", Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
		r, err := sh.remote(cmd)
		if err != nil {
			return err
		}
		var got struct {
			Off   bool
			Every string
			Keys  []lookout.Status
		}
		raw, err := r.get(cmd.Context(), "/v1/watch", &got)
		if err != nil || sh.JSON {
			return errors.Join(err, sh.rawUnless(err, raw))
		}
		if got.Off {
			sh.talk("the watch is off (watch.off in the configuration)")
		}
		rows := make([][]string, 0, len(got.Keys))
		for _, k := range got.Keys {
			rows = append(rows, statusRow(k))
		}
		return sh.table([]string{"KEY", "LAST LOOK", "NEWEST USE", "HISTORY", "USUAL USD/H", "LAST HOUR USD", "NEXT", "STATE"}, rows)
	}}
}

func statusRow(k lookout.Status) []string {
	usual := "not known yet"
	if k.Usual != nil {
		usual = fmt.Sprintf("%.2f", *k.Usual)
	}
	state, next := "seen", "with the next sweep"
	if k.Failures > 0 {
		state, next = fmt.Sprintf("not readable (%d times): %s", k.Failures, k.Error), stamp(k.Next)
	}
	if k.BlindAlert != "" {
		state = "blind, alert " + k.BlindAlert
	}
	return []string{k.Key, stamp(k.Last), stamp(k.Newest), k.Age, usual, fmt.Sprintf("%.2f", k.Now), next, state}
}

func (sh *shell) watchExplainCmd() *cobra.Command {
	return &cobra.Command{Use: "explain ALERT", Short: "Why the watch raised an alert", Args: cobra.ExactArgs(1), RunE: func(cmd *cobra.Command, args []string) error {
		r, err := sh.remote(cmd)
		if err != nil {
			return err
		}
		var f lookout.Finding
		raw, err := r.get(cmd.Context(), "/v1/watch/alerts/"+url.PathEscape(args[0]), &f)
		if err != nil || sh.JSON {
			return errors.Join(err, sh.rawUnless(err, raw))
		}
		return sh.explain(f)
	}}
}

func (sh *shell) explain(f lookout.Finding) error {
	if f.Blind != nil {
		return sh.say("%s\nnot readable since %s, %d times in a row: %s", f.Key, stamp(f.Blind.Since), f.Blind.Failures, f.Blind.Error)
	}
	sure := "it is a question first: an honest surge can look like this"
	if f.Alarm.Sure {
		sure = "it is so far outside that containing it without a question is right"
	}
	if err := sh.say("%s\n%s\nmoney: %s\n%s", f.Key, f.Alarm.Why, f.Basis, sure); err != nil {
		return err
	}
	rows := make([][]string, 0, len(f.Hours))
	for _, h := range f.Hours[max(0, len(f.Hours)-24):] {
		rows = append(rows, []string{stamp(h.At), fmt.Sprintf("%.2f", h.USD), fmt.Sprintf("%.2f", h.Usual), bar(h.USD, f.Hours)})
	}
	return sh.table([]string{"HOUR", "USD", "USUAL", ""}, rows)
}

// bar draws an hour beside the dearest one.
func bar(usd float64, all []lookout.Hour) string {
	most := 0.0
	for _, h := range all {
		most = max(most, h.USD)
	}
	if most <= 0 {
		return ""
	}
	return strings.Repeat("█", int(math.Round(30*usd/most)))
}

func (sh *shell) watchForgetCmd() *cobra.Command {
	return &cobra.Command{Use: "forget ALERT", Short: "Revoke what the baseline learned from a false alarm", Args: cobra.ExactArgs(1), RunE: func(cmd *cobra.Command, args []string) error {
		r, err := sh.remote(cmd)
		if err != nil {
			return err
		}
		raw, err := r.post(cmd.Context(), "/v1/watch/forget", map[string]string{"alert": args[0]}, nil)
		if err != nil || sh.JSON {
			return errors.Join(err, sh.rawUnless(err, raw))
		}
		return sh.say("what was learned from %s no longer counts", args[0])
	}}
}

func (sh *shell) watchReplayCmd() *cobra.Command {
	var width time.Duration
	c := &cobra.Command{
		Use: "replay FILE", Short: "What the watch would have raised over recorded usage, and why", Args: cobra.ExactArgs(1),
		Long: "FILE is CSV with a header and the columns time (RFC 3339, or 2006-01-02 15:04:05 in UTC) and usd, and optionally model, region,\naddress and agent. No server is needed. Exit code 3 when something would have been raised.",
		RunE: func(_ *cobra.Command, args []string) error {
			rows, err := readUsage(args[0])
			if err != nil {
				return &coded{exitMisuse, err}
			}
			return sh.replay(rows, width)
		},
	}
	c.Flags().DurationVar(&width, "width", 5*time.Minute, "length of one bucket")
	return c
}

func (sh *shell) replay(rows []watch.Row, width time.Duration) error {
	if width < time.Second || time.Hour%width != 0 {
		return misuse("--width must divide an hour, as 5m")
	}
	last := slices.MaxFunc(rows, func(a, b watch.Row) int { return a.At.Compare(b.At) })
	alarms, odd := watch.NewState(width).Live(rows, last.At.Add(width), watch.Limits{})
	for _, o := range odd[:min(len(odd), 20)] {
		sh.talk("left out: %s", o)
	}
	if sh.JSON {
		if err := sh.printJSON(map[string]any{"rows": len(rows), "alarms": alarms, "left_out": len(odd)}); err != nil {
			return err
		}
	} else if err := sh.replaySaid(alarms); err != nil {
		return err
	}
	if len(alarms) > 0 {
		return &coded{exitWaiting, fmt.Errorf("%d readings would have been alarming", len(alarms))}
	}
	return nil
}

// replaySaid prints alarms; those that follow within a day would have joined the same incident.
func (sh *shell) replaySaid(alarms []watch.Alarm) error {
	var table [][]string
	var quiet time.Time
	for _, a := range alarms {
		if a.At.Before(quiet) {
			continue
		}
		quiet = a.At.Add(24 * time.Hour)
		sure := "question"
		if a.Sure {
			sure = "sure"
		}
		table = append(table, []string{stamp(a.At), a.Reason, sure, a.Why})
	}
	if len(table) == 0 {
		return sh.say("nothing would have been raised")
	}
	return sh.table([]string{"AT", "REASON", "", "WHY"}, table)
}

// maxReplay bounds a file of recorded usage.
const maxReplay = 256 << 20

func readUsage(path string) ([]watch.Row, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("%q cannot be read: %w", path, err)
	}
	defer func() { _ = f.Close() }()
	r := csv.NewReader(io.LimitReader(f, maxReplay))
	head, err := r.Read()
	if err != nil {
		return nil, fmt.Errorf("%q is not CSV with a header: %w", path, err)
	}
	column := func(name string) int { return slices.Index(head, name) }
	if column("time") < 0 || column("usd") < 0 {
		return nil, fmt.Errorf("%q needs the columns time and usd; it has %s", path, strings.Join(head, ", "))
	}
	var out []watch.Row
	for {
		line, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("%q: %w", path, err)
		}
		row, err := usageRow(line, column)
		if err != nil {
			n, _ := r.FieldPos(0)
			return nil, fmt.Errorf("%s:%d: %w", path, n, err)
		}
		out = append(out, row)
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("%q has no rows", path)
	}
	return out, nil
}

func usageRow(line []string, column func(string) int) (watch.Row, error) {
	get := func(name string) string {
		if i := column(name); i >= 0 {
			return line[i]
		}
		return ""
	}
	at, err := time.Parse(time.RFC3339, get("time"))
	if err != nil {
		if at, err = time.Parse(time.DateTime, get("time")); err != nil {
			return watch.Row{}, fmt.Errorf("%q is no time; write 2026-11-25T08:00:00Z", get("time"))
		}
	}
	usd, err := strconv.ParseFloat(get("usd"), 64)
	if err != nil || math.IsNaN(usd) || math.Abs(usd) > 1e12 {
		return watch.Row{}, fmt.Errorf("%q is no amount of dollars", get("usd"))
	}
	return watch.Row{At: at, Micro: int64(math.Round(usd * 1e6)), Model: get("model"), Region: get("region"), Address: get("address"), Agent: get("agent")}, nil
}
