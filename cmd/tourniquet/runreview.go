package main

import (
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tourniquet-ir/tourniquet/internal/review"
)

func (sh *shell) runLessonCmd() *cobra.Command {
	m := review.Remark{Kind: review.Lesson}
	c := &cobra.Command{Use: "lesson RUN --text TEXT", Short: "Add a lesson to the report of a run", Args: one("the id of a run"), ValidArgsFunction: sh.ids("/v1/runs"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if strings.TrimSpace(m.Text) == "" {
				return misuse("a lesson needs --text")
			}
			return sh.remark(cmd, args[0], m)
		}}
	c.Flags().StringVar(&m.Text, "text", "", "what was learned")
	return c
}

func (sh *shell) runNextCmd() *cobra.Command {
	var m review.Remark
	c := &cobra.Command{Use: "next RUN --text TEXT --owner PERSON", Short: "Add a next step to the report of a run, or say that one is done", Args: one("the id of a run"), ValidArgsFunction: sh.ids("/v1/runs"),
		Example: "  tourniquet run next run-01 --text \"move the key to the server\" --owner dana --due 2026-12-01\n  tourniquet run next run-01 --done 41 --text deployed",
		RunE: func(cmd *cobra.Command, args []string) error {
			m.Kind = review.NextStep
			switch {
			case m.NextStep > 0 && (m.Owner != "" || m.Due != ""):
				return misuse("--done names a step that has its owner and day already")
			case m.NextStep > 0:
				m.Kind = review.Done
			case strings.TrimSpace(m.Text) == "" || m.Owner == "":
				return misuse("a next step needs --text and --owner; one that is done, --done and its number")
			}
			return sh.remark(cmd, args[0], m)
		}}
	c.Flags().StringVar(&m.Text, "text", "", "what is to be done, or with --done how it ended")
	c.Flags().StringVar(&m.Owner, "owner", "", "id of the person who sees to it")
	c.Flags().StringVar(&m.Due, "due", "", "until which day, as 2026-12-01")
	c.Flags().Int64Var(&m.NextStep, "done", 0, "number of the next step that is done")
	return c
}

func (sh *shell) remark(cmd *cobra.Command, run string, m review.Remark) error {
	r, err := sh.remote(cmd)
	if err != nil {
		return err
	}
	var got struct{ Number int64 }
	raw, err := r.post(cmd.Context(), runPath(run, "review"), m, &got)
	if err != nil || sh.JSON {
		return errors.Join(err, sh.rawUnless(err, raw))
	}
	return sh.say("written down in the ledger of %s as number %d", run, got.Number)
}
