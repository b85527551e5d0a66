package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"text/tabwriter"

	"github.com/tourniquet-ir/tourniquet/internal/database/pgtest"
)

// startPostgres waits for the disk at each commit, as in production.
func startPostgres(ctx context.Context) (*pgtest.Server, error) {
	return pgtest.Start(ctx, "fsync=on", "max_connections=400", "shared_buffers=128MB")
}

// keepSecret writes a secret of a configuration and returns how that refers to it.
func keepSecret(dir, name, value string) (string, error) {
	at := filepath.Join(dir, "secrets", name)
	if err := os.MkdirAll(filepath.Dir(at), 0o700); err != nil {
		return "", err
	}
	return "file://" + filepath.ToSlash(at), os.WriteFile(at, []byte(value), 0o600)
}

// onPostgres measures both sides again with everything in a PostgreSQL: our records, our engine, and the engine of the bare
// workflow, each in a database of its own.
func onPostgres(ctx context.Context, c choices, dir string, w *world) (rep *report, err error) {
	pg, err := startPostgres(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { _ = pg.Stop() }() // what a bench's server leaves is no failure
	records, err := pg.Database(ctx, "")
	if err != nil {
		return nil, err
	}
	home := filepath.Join(dir, "product")
	database, err := keepSecret(home, "database", records)
	if err != nil {
		return nil, err
	}
	engine, err := keepSecret(home, "engine", pg.URL("engine"))
	if err != nil {
		return nil, err
	}
	config := productConfig + fmt.Sprintf("temporal: { mode: embedded, database_url: %s }\ndatabase: { driver: postgres, url: %s }\n", engine, database)
	product, err := startProduct(ctx, c.binary, home, w, config, playbook)
	if err != nil {
		return nil, err
	}
	defer product.stop()
	bare, err := startBare(ctx, filepath.Join(dir, "bare"), w, pg.URL("bare"))
	if err != nil {
		return nil, err
	}
	defer bare.stop()
	say("the same on PostgreSQL …")
	rep = newReport()
	if err := turns(ctx, c, w, product, bare, rep); err != nil {
		return nil, fmt.Errorf("on PostgreSQL: %w\n%s%s", err, product.lastWords(), bare.lastWords())
	}
	if err := rep.sameCalls(); err != nil {
		return nil, err
	}
	rep.Aims = nil // they are for the embedded SQLite
	return rep, nil
}

// tablePostgres prints what was measured on PostgreSQL.
func (r *report) tablePostgres(out io.Writer) error {
	if r.Postgres != nil {
		_, _ = fmt.Fprintln(out, "\nrecords and embedded engine in one PostgreSQL on this machine, fsync on:")
		if err := r.Postgres.rows(out); err != nil {
			return err
		}
	}
	if len(r.Scale) == 0 {
		return nil
	}
	_, _ = fmt.Fprintf(out, "\nan api, workers, an engine that is a process of its own, PostgreSQL; %d alerts at once; milliseconds of processor a run by process:\n", scaleAtOnce)
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	_, _ = fmt.Fprintln(t, "workers\tmay run\truns/s\tof one\tp50 ms\tworkers\tapi\tengine\tPostgreSQL\tworld and senders\tmachine busy\t") // Flush reports what failed
	for _, s := range r.Scale {
		may := "always"
		if s.Share > 0 {
			may = fmt.Sprintf("%d %%", s.Share)
		}
		_, _ = fmt.Fprintf(t, "%d\t%s\t%.1f\t%.2f\t%.1f\t%.1f\t%.1f\t%.1f\t%.1f\t%.1f\t%.0f %%\t\n", s.Workers, may, s.RunsSec, s.OfOne, s.P50, s.CPU["workers"], s.CPU["api"],
			s.CPU["engine"], s.CPU["postgres"], s.CPU["bench"], s.Busy)
	}
	_, _ = fmt.Fprintln(t)
	return t.Flush()
}
