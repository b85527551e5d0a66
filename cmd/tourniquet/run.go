package main

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/report"
)

func (sh *shell) runCmd() *cobra.Command {
	return online(group("run", "Runs: start, follow, read, cancel",
		sh.runStartCmd(), sh.runListCmd(), sh.runShowCmd(), sh.runWatchCmd(), sh.runReportCmd(), sh.runHistoryCmd(), sh.runNoteCmd(), sh.runCancelCmd(), sh.runUndoCmd(),
		sh.runTimelineCmd(), sh.runRefundCmd(), sh.runLessonCmd(), sh.runNextCmd(), sh.runSchemaCmd()))
}

func runPath(id string, more ...string) string {
	return strings.Join(append([]string{"/v1/runs", url.PathEscape(id)}, more...), "/")
}

func (sh *shell) runStartCmd() *cobra.Command {
	var playbook, key, reason string
	c := &cobra.Command{
		Use: "start --playbook ID --key provider:account:id --reason TEXT", Short: "Start a run by hand; policy keeps its starter from deciding what cannot be undone", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if playbook == "" || key == "" || strings.TrimSpace(reason) == "" {
				return misuse("a run by hand needs --playbook, --key and --reason")
			}
			r, err := sh.remote(cmd)
			if err != nil {
				return err
			}
			var run incident.Run
			raw, err := r.post(cmd.Context(), "/v1/runs", map[string]string{"playbook": playbook, "key": key, "reason": reason}, &run)
			if err != nil {
				return err
			}
			if sh.JSON {
				return sh.printRaw(raw)
			}
			sh.talk("the run is %s; where policy excludes the starter, others must sign. Follow it with: tourniquet run watch %s", run.State, run.ID)
			return sh.say("%s", run.ID)
		},
	}
	c.Flags().StringVar(&playbook, "playbook", "", "id of the playbook")
	c.Flags().StringVar(&key, "key", "", "the key, as provider:account:id")
	c.Flags().StringVar(&reason, "reason", "", "why")
	return c
}

func (sh *shell) runListCmd() *cobra.Command {
	q := map[string]*string{}
	c := &cobra.Command{Use: "list", Short: "Runs, newest first", Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
		values := url.Values{}
		for name, v := range q {
			if *v != "" {
				values.Set(name, *v)
			}
		}
		r, err := sh.remote(cmd)
		if err != nil {
			return err
		}
		var page page[incident.Run]
		raw, err := r.get(cmd.Context(), "/v1/runs?"+values.Encode(), &page)
		if err != nil || sh.JSON {
			return errors.Join(err, sh.rawUnless(err, raw))
		}
		rows := make([][]string, 0, len(page.Items))
		for _, run := range page.Items {
			key := ""
			if run.Key != nil {
				key = run.Key.Target()
			}
			rows = append(rows, []string{run.ID, run.Playbook, key, run.State, run.Outcome, stamp(run.StartedAt), stamp(run.FinishedAt)})
		}
		if page.Next != "" {
			sh.talk("there are more; go on with --before %s", page.Next)
		}
		return sh.table([]string{"RUN", "PLAYBOOK", "KEY", "STATE", "OUTCOME", "STARTED", "FINISHED"}, rows)
	}}
	for _, f := range [][2]string{
		{"state", "running, waiting or done"}, {"outcome", "contained, false_alarm, stopped, failed, cancelled or joined"}, {"provider", "for example gemini"},
		{"text", "part of an id, playbook, key or owner"}, {"before", "id of the last run of the page before"},
	} {
		q[f[0]] = c.Flags().String(f[0], "", f[1])
	}
	return c
}

// rawUnless prints what the server said where there is no error.
func (sh *shell) rawUnless(err error, raw []byte) error {
	if err != nil {
		return nil //nolint:nilerr // the caller reports it; here is only nothing to print
	}
	return sh.printRaw(raw)
}

func (sh *shell) runShowCmd() *cobra.Command {
	return &cobra.Command{Use: "show RUN", Short: "Steps, sign-offs, what is in force, and the outcome of one run", Args: one("the id of a run"), ValidArgsFunction: sh.ids("/v1/runs"),
		RunE: func(cmd *cobra.Command, args []string) error {
			r, err := sh.remote(cmd)
			if err != nil {
				return err
			}
			var f report.Facts
			raw, err := r.get(cmd.Context(), runPath(args[0]), &f)
			if err != nil {
				return err
			}
			if sh.JSON {
				return sh.printRaw(raw)
			}
			return sh.showRun(&f)
		}}
}

func (sh *shell) showRun(f *report.Facts) error {
	lines := [][]string{
		{"playbook", f.Run.Playbook}, {"key", f.KeyWords()}, {"started by", f.StartedBy()}, {"mode", f.Run.Mode}, {"state", f.Run.State},
		{"started", stamp(f.Run.StartedAt)}, {"finished", stamp(f.Run.FinishedAt)},
	}
	for _, m := range f.Marks {
		if m.Known() {
			lines = append(lines, []string{strings.ToLower(m.Title), stamp(m.At) + "  " + f.SinceAlert(m.At)})
		}
	}
	for _, m := range f.Money {
		lines = append(lines, []string{strings.ToLower(m.Title), strings.TrimSpace(m.Text + " " + m.Basis)})
	}
	var steps, signoffs, force [][]string
	for _, s := range f.Steps {
		steps = append(steps, []string{s.Path, s.Action, s.Effect, s.Status, report.Took(s), s.Error})
	}
	for _, s := range f.Signoffs {
		v := s.View
		signoffs = append(signoffs, []string{v.Request, v.State, fmt.Sprintf("%d of %d", v.Filled, v.Seats), v.Code, stamp(v.Envelope.Expires), v.Title})
	}
	for _, u := range f.InForce {
		force = append(force, []string{u.Step, u.Action, u.Target, stamp(u.At)})
	}
	return errors.Join(
		sh.table([]string{"run", f.Run.ID}, lines),
		sh.part("Steps", []string{"STEP", "ACTION", "EFFECT", "STATUS", "TOOK", "ERROR"}, steps),
		sh.part("Sign-offs", []string{"REQUEST", "STATE", "SEATS", "CODE", "UNTIL", "TITLE"}, signoffs),
		sh.part("Still in force", []string{"STEP", "ACTION", "TARGET", "SINCE"}, force),
		sh.say("\nOutcome: %s", f.Outcome()),
	)
}

// part is a titled table; nothing is printed of an empty one.
func (sh *shell) part(title string, head []string, rows [][]string) error {
	if len(rows) == 0 {
		return nil
	}
	return errors.Join(sh.say("\n%s", title), sh.table(head, rows))
}

// one asks for exactly one argument, in words.
func one(what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) != 1 {
			return misuse("%s takes one argument: %s", cmd.CommandPath(), what)
		}
		return nil
	}
}

func (sh *shell) runReportCmd() *cobra.Command {
	var format, out string
	c := &cobra.Command{Use: "report RUN", Short: "The report of a run as Markdown, JSON or HTML", Args: one("the id of a run"), ValidArgsFunction: sh.ids("/v1/runs"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if sh.JSON && !cmd.Flags().Changed("format") {
				format = "json"
			}
			if format != "md" && format != "json" && format != "html" {
				return misuse("-f takes md, json or html, not %q", format)
			}
			r, err := sh.remote(cmd)
			if err != nil {
				return err
			}
			body, err := r.get(cmd.Context(), runPath(args[0], "report")+"?format="+format, nil)
			if err != nil {
				return err
			}
			if out == "" {
				_, err := sh.Out.Write(report.Neutral(body))
				return err
			}
			if err := os.WriteFile(out, body, 0o600); err != nil {
				return fmt.Errorf("the report could not be written: %w", err)
			}
			sh.talk("the report is in %s", out)
			return nil
		}}
	c.Flags().StringVarP(&format, "format", "f", "md", "md, json or html")
	c.Flags().StringVar(&out, "out", "", "write to this file")
	return c
}

func (sh *shell) runCancelCmd() *cobra.Command {
	var reason string
	c := &cobra.Command{Use: "cancel RUN --reason TEXT", Short: "Stop a run; what is in force stays in force until it is undone", Args: one("the id of a run"), ValidArgsFunction: sh.ids("/v1/runs"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if strings.TrimSpace(reason) == "" {
				return misuse("cancelling a run needs --reason")
			}
			r, err := sh.remote(cmd)
			if err != nil {
				return err
			}
			raw, err := r.post(cmd.Context(), runPath(args[0], "cancel"), map[string]string{"reason": reason}, nil)
			if a := new(answerError); errors.As(err, &a) && a.Status == http.StatusConflict {
				return a // too late is a failure, not a policy
			}
			if err != nil || sh.JSON {
				return errors.Join(err, sh.rawUnless(err, raw))
			}
			return sh.say("%s is being cancelled", args[0])
		}}
	c.Flags().StringVar(&reason, "reason", "", "why")
	return c
}
