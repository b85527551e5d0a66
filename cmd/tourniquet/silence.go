package main

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/playbooks"
)

// silenceFlags is what `silence add` is told.
type silenceFlags struct {
	condition, reason, from, until, length string
	dry                                    bool
}

func (sh *shell) silenceCmd() *cobra.Command {
	f := silenceFlags{}
	add := &cobra.Command{
		Use: "add --if CONDITION --for 2h --reason TEXT", Short: "Keep alerts from starting runs for a while; shows what that would have hidden",
		Long: "The condition sees alert, as a trigger does: alert.source == \"grafana\" && alert.key.account == \"staging\".\n" +
			"A maintenance window is a silence with --from. You are its owner. An alert that may be about a critical key is not hidden,\n" +
			"unless policy.silences.critical_keys says so; an alert whose key has an open run joins it as always.",
		Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error { return sh.silenceAdd(cmd, f, time.Now()) },
	}
	flags := add.Flags()
	flags.StringVar(&f.condition, "if", "", "which alerts; required")
	flags.StringVar(&f.reason, "reason", "", "why; required")
	flags.StringVar(&f.length, "for", "", "how long, as 30m, 2h or 3d; this or --until is required")
	flags.StringVar(&f.until, "until", "", "when it ends, RFC 3339")
	flags.StringVar(&f.from, "from", "", "when it begins, RFC 3339 (default: now)")
	flags.BoolVar(&f.dry, "dry-run", false, "only show what it would have hidden")
	list := &cobra.Command{Use: "list", Short: "Silences: in force, to come, and ended, with how much each hid", Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
		return sh.silenceList(cmd, time.Now())
	}}
	expire := &cobra.Command{Use: "expire ID", Short: "End a silence now", Args: one("the id of a silence"), RunE: func(cmd *cobra.Command, args []string) error {
		r, err := sh.remote(cmd)
		if err != nil {
			return err
		}
		raw, err := r.post(cmd.Context(), "/v1/silences/"+url.PathEscape(args[0])+"/expire", map[string]any{}, nil)
		if err != nil || sh.JSON {
			return errors.Join(err, sh.rawUnless(err, raw))
		}
		return sh.say("%s is expired", args[0])
	}}
	return online(group("silence", "Silences and maintenance windows", add, list, expire))
}

// window reads when a silence begins and ends.
func (f silenceFlags) window(now time.Time) (from, until time.Time, err error) {
	from = now
	if f.from != "" {
		if from, err = time.Parse(time.RFC3339, f.from); err != nil {
			return from, until, misuse("--from takes a time such as 2026-11-20T22:00:00Z")
		}
	}
	switch {
	case (f.length == "") == (f.until == ""):
		return from, until, misuse("a silence needs an end: --for or --until, one of them")
	case f.until != "":
		if until, err = time.Parse(time.RFC3339, f.until); err != nil {
			return from, until, misuse("--until takes a time such as 2026-11-20T22:00:00Z")
		}
		return from, until, nil
	}
	d, err := playbooks.ParseDuration(f.length)
	if err != nil || d <= 0 {
		return from, until, misuse("--for takes a length such as 30m, 2h or 3d")
	}
	return from, from.Add(d), nil
}

func (sh *shell) silenceAdd(cmd *cobra.Command, f silenceFlags, now time.Time) error {
	if strings.TrimSpace(f.condition) == "" || strings.TrimSpace(f.reason) == "" {
		return misuse("a silence needs --if and --reason: the next reader will ask")
	}
	from, until, err := f.window(now)
	if err != nil {
		return err
	}
	if _, err := playbooks.CompileExpr(f.condition, playbooks.AlertShape()); err != nil {
		return misuse("--if: %w", err)
	}
	r, err := sh.remote(cmd)
	if err != nil {
		return err
	}
	path := "/v1/silences"
	if f.dry {
		path += "/preview"
	}
	var got preview
	raw, err := r.post(cmd.Context(), path, map[string]any{"if": f.condition, "reason": f.reason, "from": from, "until": until}, &got)
	if err != nil || sh.JSON {
		return errors.Join(err, sh.rawUnless(err, raw))
	}
	return sh.silencePreviewed(got, f.dry)
}

func (sh *shell) silencePreviewed(p preview, dry bool) error {
	var b strings.Builder
	if !dry {
		fmt.Fprintf(&b, "%s is in force from %s until %s\n", p.Silence.ID, p.Silence.From.Local().Format(time.DateTime), p.Silence.Until.Local().Format(time.DateTime))
	}
	fmt.Fprintf(&b, "of %d alerts since %s it would have hidden %d, of which %d had started a run", p.Looked, p.Since.Local().Format(time.DateTime), p.Hidden, p.Started)
	if p.Spared > 0 {
		fmt.Fprintf(&b, "; %d more fit and may be about a critical key, so they are not hidden", p.Spared)
	}
	for _, a := range p.Alerts {
		fmt.Fprintf(&b, "\n  %s  %-12s %-10s %s", a.At.Local().Format(time.DateTime), a.Source, a.Fate, a.Title)
	}
	if more := p.Hidden - len(p.Alerts); more > 0 {
		fmt.Fprintf(&b, "\n  and %d more", more)
	}
	return sh.say("%s", b.String())
}

func (sh *shell) silenceList(cmd *cobra.Command, now time.Time) error {
	r, err := sh.remote(cmd)
	if err != nil {
		return err
	}
	var all struct{ Items []database.Silence }
	raw, err := r.get(cmd.Context(), "/v1/silences", &all)
	if err != nil || sh.JSON {
		return errors.Join(err, sh.rawUnless(err, raw))
	}
	rows := [][]string{}
	for _, s := range all.Items {
		state := "in force"
		switch {
		case !s.Until.After(now) && s.ExpiredBy != "":
			state = "ended by " + s.ExpiredBy
		case !s.Until.After(now):
			state = "ended"
		case s.From.After(now):
			state = "to come"
		}
		rows = append(rows, []string{s.ID, state, s.From.Local().Format(time.DateTime), s.Until.Local().Format(time.DateTime), fmt.Sprint(s.Hidden), s.Owner, s.If, s.Reason})
	}
	return sh.table([]string{"ID", "STATE", "FROM", "UNTIL", "HIDDEN", "OWNER", "IF", "REASON"}, rows)
}
