package main

import (
	"context"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tourniquet-ir/tourniquet/internal/config"
	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/engine"
	"github.com/tourniquet-ir/tourniquet/internal/seal"
)

func (sh *shell) databaseCmd() *cobra.Command {
	return group("database", "Where the records lie: backup, restore, and the way to PostgreSQL", sh.databaseMoveCmd(), sh.databaseBackupCmd(), sh.databaseRestoreCmd(), sh.databaseRestoredCmd())
}

func (sh *shell) databaseMoveCmd() *cobra.Command {
	to, look := "", false
	cmd := &cobra.Command{
		Use: "move --to env://NAME", Short: "Move the records from SQLite to a PostgreSQL, while serve is stopped and no run is open", Args: cobra.NoArgs,
		Long: "Copies every table in one transaction, and commits only when the PostgreSQL holds exactly what the file holds: all rows, every\n" +
			"chain of the ledger up to its head. What is interrupted leaves the PostgreSQL empty; do it again. The file stays as it is but for\n" +
			"a note that it was left, with which serve refuses it. The state of the workflow engine stays where it is: so no run may be open.",
		RunE: func(cmd *cobra.Command, _ []string) error { return sh.databaseMove(cmd.Context(), to, look) },
	}
	cmd.Flags().StringVar(&to, "to", "", "reference to the address of an empty PostgreSQL, env://NAME or file:///path")
	cmd.Flags().BoolVar(&look, "dry-run", false, "look at both sides and say what would be moved")
	return cmd
}

func (sh *shell) databaseMove(ctx context.Context, to string, look bool) error {
	c, err := sh.load()
	if err != nil {
		return err
	}
	if c.Database.Driver == "postgres" {
		return misuse("the configuration %q has database.driver postgres already: there is nothing to move", sh.Config)
	}
	address, err := sh.target(to)
	if err != nil {
		return err
	}
	lock, err := engine.LockDir(dataDir(c))
	if err != nil {
		return fmt.Errorf("%w; stop serve, then move", err)
	}
	defer func() { _ = lock.Release() }() // the process ends
	ring, err := seal.Load(ringPath(c))
	if err != nil {
		return err
	}
	moved, err := database.Move{
		From: filepath.Join(dataDir(c), "tourniquet.db"), To: address, Box: ring.Box(), Look: look,
		Note: func(text string) { sh.talk("%s", text) },
	}.Run(ctx)
	if err != nil {
		return err
	}
	if sh.JSON {
		return sh.printJSON(moved)
	}
	return sh.sayMoved(moved, to)
}

// target is the address behind a reference. An address with a password does not belong into the list of processes.
func (sh *shell) target(to string) (string, error) {
	if to == "" {
		return "", misuse("say where to: --to env://NAME, with the address of an empty PostgreSQL in that variable")
	}
	if database.IsPostgres(to) {
		if u, err := url.Parse(to); err != nil || u.User != nil && strings.Contains(u.User.String(), ":") || u.Query().Has("password") {
			return "", misuse("an address with a password is seen by everybody on this machine: put it into the environment, and --to env://NAME")
		}
		return to, nil
	}
	at, err := config.Secret(to).Resolve(config.Places{Env: sh.Env})
	if err != nil {
		return "", misuse("--to: %s", err)
	}
	return at, nil
}

func (sh *shell) sayMoved(m database.Moved, to string) error {
	rows := make([][]string, 0, len(m.Tables))
	for _, t := range m.Tables {
		rows = append(rows, []string{t.Name, fmt.Sprint(t.Rows)})
	}
	if err := sh.table([]string{"TABLE", "ROWS"}, rows); err != nil {
		return err
	}
	switch {
	case !m.Done:
		return sh.say("\nnothing was changed: %d rows would move to %s; %d ledgers verify", m.Rows(), m.To, m.Ledgers)
	case m.Before:
		if err := sh.say("\nan earlier move had brought all %d rows to %s", m.Rows(), m.To); err != nil {
			return err
		}
	default:
		if err := sh.say("\n%d rows moved to %s; %d ledgers verify on both sides, up to the same heads", m.Rows(), m.To, m.Ledgers); err != nil {
			return err
		}
	}
	ref := to
	if database.IsPostgres(to) {
		ref = "env://TOURNIQUET_DATABASE_URL"
	}
	return sh.say("now set in %s:\n\n  database: { driver: postgres, url: %s }\n\nand start serve; it refuses the file from now on", sh.Config, ref)
}
