package database

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"

	"github.com/pressly/goose/v3"
)

// migrate brings the tables up to date; several processes may start at once.
func (d *DB) migrate(ctx context.Context) error {
	err := d.migrations(ctx, func(p *goose.Provider) error {
		_, err := p.Up(ctx)
		return err
	})
	if err != nil {
		return fmt.Errorf("database %q cannot be brought up to date: %w", d.path, err)
	}
	return nil
}

// Down takes the tables back to an earlier version: 0 drops everything, the ledger too. The next Open goes up again.
func (d *DB) Down(ctx context.Context, version int64) error {
	err := d.migrations(ctx, func(p *goose.Provider) error {
		_, err := p.DownTo(ctx, version)
		return err
	})
	if err != nil {
		return fmt.Errorf("database %q cannot be taken back to version %d: %w", d.path, version, err)
	}
	return nil
}

// Version is the number of the newest migration that was applied.
func (d *DB) Version(ctx context.Context) (version int64, err error) {
	err = d.migrations(ctx, func(p *goose.Provider) error {
		version, err = p.GetDBVersion(ctx)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("version of database %q: %w", d.path, err)
	}
	return version, nil
}

func (d *DB) migrations(ctx context.Context, do func(*goose.Provider) error) error {
	if !d.dialect.postgres {
		return d.provider(do)
	}
	return alone(ctx, d.writer.DB, func() error { return d.provider(do) })
}

func (d *DB) provider(do func(*goose.Provider) error) error {
	dir, err := fs.Sub(migrations, "migrations/"+d.dialect.name)
	if err != nil {
		return errors.New("migrations are not built in")
	}
	p, err := goose.NewProvider(d.dialect.goose, d.writer.DB, dir,
		goose.WithDisableGlobalRegistry(true), goose.WithSlog(slog.New(slog.NewTextHandler(io.Discard, nil))))
	if err != nil {
		return fmt.Errorf("migrations cannot be read: %w", err)
	}
	return do(p)
}
