package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/tourniquet-ir/tourniquet/internal/backup"
	"github.com/tourniquet-ir/tourniquet/internal/config"
	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/engine"
	"github.com/tourniquet-ir/tourniquet/internal/seal"
)

func (sh *shell) databaseBackupCmd() *cobra.Command {
	withKeys := false
	cmd := &cobra.Command{
		Use: "backup FOLDER", Short: "Copy records, engine state and evidence of one moment, while serve runs", Args: one("the folder to make"),
		Long: "Copies both SQLite files of one moment, and the evidence that lies in the data directory, into a new folder that only its owner\n" +
			"may read. The key files go along with --keys only: whoever has them and a copy can read what is sealed in it. Records in a\n" +
			"PostgreSQL are backed up with pg_dump.",
		RunE: func(cmd *cobra.Command, args []string) error {
			return sh.databaseBackup(cmd.Context(), args[0], withKeys)
		},
	}
	cmd.Flags().BoolVar(&withKeys, "keys", false, "copy the key ring and the signing key, too")
	return cmd
}

// ownFiles refuses an installation that keeps something elsewhere than in its data directory.
func ownFiles(c *config.Config) error {
	switch {
	case c.Database.Driver == "postgres":
		return misuse("the records lie in a PostgreSQL: back them up with pg_dump and put them back with pg_restore (docs/operate.md)")
	case c.Temporal.Mode == "external" || c.Temporal.Database != "":
		return misuse("the workflow engine keeps its state elsewhere: back that up with its own tools (docs/operate.md)")
	}
	return nil
}

func (sh *shell) databaseBackup(ctx context.Context, to string, withKeys bool) error {
	c, err := sh.load()
	if err != nil {
		return err
	}
	if err := ownFiles(c); err != nil {
		return err
	}
	from := backup.Files{Dir: dataDir(c), Evidence: c.Evidence.URL == ""}
	if withKeys {
		from.Keys = []string{ringPath(c), signerPath(c)}
	}
	m, err := backup.Take(ctx, from, to)
	if err != nil {
		return err
	}
	if sh.JSON {
		return sh.printJSON(m)
	}
	if !from.Evidence {
		sh.talk("the evidence lies in a bucket (evidence.url): it is not part of this backup")
	}
	if !withKeys {
		sh.talk("the key files are not part of this backup: keep copies of %s and %s in another place", ringPath(c), signerPath(c))
	}
	return sh.say("%s holds the records, the engine's state and %d files of evidence of %s", to, m.Evidence, m.At.Format("2006-01-02 15:04:05 UTC"))
}

func (sh *shell) databaseRestoreCmd() *cobra.Command {
	return &cobra.Command{
		Use: "restore FOLDER", Short: "Put a backup into an empty data directory", Args: one("the folder of a backup"),
		Long: "Puts a backup back where no database lies. What was decided and called after the backup is not in it: no call is made any more\n" +
			"under a sign-off that is older than the restore, and open runs ask their people anew, with everything as it is then.",
		RunE: func(cmd *cobra.Command, args []string) error { return sh.databaseRestore(cmd.Context(), args[0]) },
	}
}

func (sh *shell) databaseRestore(ctx context.Context, from string) error {
	c, err := sh.load()
	if err != nil {
		return err
	}
	if err := ownFiles(c); err != nil {
		return err
	}
	if err := ringAtHand(c, from); err != nil {
		return err
	}
	lock, err := engine.LockDir(dataDir(c))
	if err != nil {
		return fmt.Errorf("%w; stop serve, then restore", err)
	}
	defer func() { _ = lock.Release() }() // the process ends
	m, err := backup.Put(from, dataDir(c))
	if err != nil {
		return err
	}
	if err := sh.markRestored(ctx, c, "restored from the backup of "+m.At.Format("2006-01-02 15:04:05 UTC")); err != nil {
		return err
	}
	if sh.JSON {
		return sh.printJSON(m)
	}
	return sh.say("the state of %s is back in %s. Start serve; open runs ask their people anew.\nLost is what came after it: let sources deliver again, and look at what was done since before you sign anything",
		m.At.Format("2006-01-02 15:04:05 UTC"), dataDir(c))
}

// ringAtHand refuses a restore that nobody could read afterwards.
func ringAtHand(c *config.Config, from string) error {
	path := ringPath(c)
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	if _, err := os.Stat(filepath.Join(from, "keys", filepath.Base(path))); err == nil && filepath.Dir(path) == dataDir(c) {
		return nil
	}
	return fmt.Errorf("the key ring %q is missing: put it back from its own backup first, or nothing that is sealed can be read", path)
}

func (sh *shell) databaseRestoredCmd() *cobra.Command {
	return &cobra.Command{
		Use: "mark-restored", Short: "Say that the records were put back by hand, so that open runs ask anew", Args: cobra.NoArgs,
		Long: "Records that are found in another place than before know by themselves that they were restored. Where somebody wrote a backup\n" +
			"over the very same file or database, or went back to an earlier point in time of a PostgreSQL, this says it. Before serve starts.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := sh.load()
			if err != nil {
				return err
			}
			if !shared(c) {
				lock, err := engine.LockDir(dataDir(c))
				if err != nil {
					return fmt.Errorf("%w; stop serve first", err)
				}
				defer func() { _ = lock.Release() }() // the process ends
			}
			if err := sh.markRestored(cmd.Context(), c, "an operator said so"); err != nil {
				return err
			}
			return sh.say("open runs ask their people anew at the next start")
		},
	}
}

func (sh *shell) markRestored(ctx context.Context, c *config.Config, why string) error {
	ring, err := seal.Load(ringPath(c))
	if err != nil {
		return err
	}
	at, err := databaseAt(settings{Config: c, Env: sh.places(c)})
	if err != nil {
		return err
	}
	if !database.IsPostgres(at) {
		if _, err := os.Stat(at); err != nil {
			return fmt.Errorf("there are no records to mark: %w", err)
		}
	}
	db, err := database.Open(ctx, at, ring.Box())
	if err != nil {
		return err
	}
	err = db.CheckRing(ctx)
	if err == nil {
		err = db.MarkRestored(ctx, why)
	}
	return errors.Join(err, db.Close())
}
