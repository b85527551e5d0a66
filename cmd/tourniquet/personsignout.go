package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/tourniquet-ir/tourniquet/internal/database"
)

func (sh *shell) personSignOutCmd() *cobra.Command {
	var by, reason string
	c := &cobra.Command{
		Use: "sign-out PERSON --by ID", Short: "End a person's sessions in the console at once", Args: one("the id of a person, or the subject that the sign-on service knows them by"),
		Long: "End all sessions of a person in the console, at every process. A running serve need not be stopped, and the ledger keeps who did it.\n" +
			"A personal token still opens a new session: see person revoke. Whoever signs in by the sign-on service is asked there again.",
		RunE: func(cmd *cobra.Command, args []string) error {
			if by == "" {
				return misuse("say who ends the sessions: person sign-out PERSON --by ID")
			}
			s, err := sh.listed(by)
			if err != nil {
				return err
			}
			var ended int64
			err = withTokens(cmd.Context(), s, func(db *database.DB) (err error) {
				ended, err = db.CloseSessionsOf(cmd.Context(), args[0], by, reason)
				return err
			})
			if err != nil || sh.JSON {
				return errors.Join(err, sh.jsonUnless(err, map[string]any{"person": args[0], "sessions": ended}))
			}
			return sh.say("%s of %q ended; the next request that comes with one is refused", sessionsInWords(ended), args[0])
		},
	}
	c.Flags().StringVar(&by, "by", "", "id of the person who ends them")
	c.Flags().StringVar(&reason, "reason", "", "why, for the ledger")
	return c
}

func sessionsInWords(n int64) string {
	if n == 1 {
		return "1 session"
	}
	return fmt.Sprintf("%d sessions", n)
}
