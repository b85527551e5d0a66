package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/tourniquet-ir/tourniquet/internal/history"
)

func (sh *shell) runHistoryCmd() *cobra.Command {
	return &cobra.Command{Use: "history RUN", Short: "The decrypted history of the workflow, event by event", Args: one("the id of a run"), ValidArgsFunction: sh.ids("/v1/runs"),
		RunE: func(cmd *cobra.Command, args []string) error {
			r, err := sh.remote(cmd)
			if err != nil {
				return err
			}
			var h history.History
			raw, err := r.get(cmd.Context(), runPath(args[0], "history"), &h)
			if err != nil || sh.JSON {
				return errors.Join(err, sh.rawUnless(err, raw))
			}
			if h.Cut {
				sh.talk("the history is longer; these are its first %d events", len(h.Events))
			}
			rows := make([][]string, 0, len(h.Events))
			for _, e := range h.Events {
				rows = append(rows, []string{fmt.Sprint(e.ID), stamp(e.Time), e.Type, e.Step, e.Summary})
			}
			return sh.table([]string{"EVENT", "TIME", "TYPE", "STEP", "WHAT"}, rows)
		}}
}
