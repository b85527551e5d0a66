package database

import (
	"context"
	"path/filepath"
	"testing"
)

func TestEveryConnectionIsDurableAndReadersCannotWrite(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	d, err := Open(ctx, filepath.Join(t.TempDir(), "t.db"), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = d.Close() }()
	for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "busy_timeout": "10000", "foreign_keys": "1",
		"recursive_triggers": "1", "secure_delete": "1"} {
		for _, c := range []scanner{d.writer.QueryRow("PRAGMA " + pragma), d.reader.QueryRow("PRAGMA " + pragma)} {
			var got string
			if err := c.Scan(&got); err != nil || got != want {
				t.Errorf("%s is %q, want %q, %v", pragma, got, want, err)
			}
		}
	}
	if _, err := d.reader.Exec(`INSERT INTO settings VALUES ('a', 'b')`); err == nil {
		t.Error("a reader wrote")
	}
}
