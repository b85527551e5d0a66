package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/freeport"
	"github.com/tourniquet-ir/tourniquet/test/rig"
)

const (
	scaleAtOnce = 32
	aimScale    = 1.5
)

// scaled is one row: so many workers, each of which may run all the time or a share of it, as on a smaller machine.
type scaled struct {
	Workers int                `json:"workers"`
	Share   int                `json:"share,omitempty"` // percent of the time; 0: always
	RunsSec float64            `json:"runs_per_second"`
	OfOne   float64            `json:"of_one"` // divided by what one worker did
	P50     float64            `json:"p50_ms"`
	CPU     map[string]float64 `json:"cpu_ms_per_run"`
	Busy    float64            `json:"machine_busy_percent"`
}

// yard is an api on PostgreSQL and an engine of its own, to which workers are added.
type yard struct {
	c       choices
	dir     string
	w       *world
	api     *side
	engine  *rig.Cluster
	pids    map[string][]int // by what they are
	config  string           // with a %s for the keys
	workers []*side
}

// scale measures one, two and four workers: as fast as the machine lets them, and each held back, so that the workers are what
// limits and not the engine, the database and the senders on the same machine.
func scale(ctx context.Context, c choices, dir string, w *world) (rows []scaled, err error) {
	pg, err := startPostgres(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { _ = pg.Stop() }() // what a bench's server leaves is no failure
	records, err := pg.Database(ctx, "")
	if err != nil {
		return nil, err
	}
	y, err := openYard(ctx, c, dir, w, records, pg.URL("engine"))
	if err != nil {
		return nil, err
	}
	defer y.close()
	y.pids = map[string][]int{"api": {y.api.cmd.Process.Pid}, "engine": {y.engine.Pid()}, "postgres": {pg.Pid()}, "bench": {os.Getpid()}}
	for _, share := range []int{0, c.share} {
		one := 0.0
		for _, n := range []int{1, 2, 4} {
			row, err := y.row(ctx, n, share)
			if err != nil {
				return nil, fmt.Errorf("%d workers: %w\n%s", n, err, y.api.lastWords())
			}
			if n == 1 {
				one = row.RunsSec
			}
			row.OfOne = round(row.RunsSec / one)
			rows = append(rows, row)
		}
	}
	return rows, nil
}

// openYard starts engine and api.
func openYard(ctx context.Context, c choices, dir string, w *world, records, engine string) (*yard, error) {
	database, err := keepSecret(dir, "database", records)
	if err != nil {
		return nil, err
	}
	at, err := freeport.Free()
	if err != nil {
		return nil, err
	}
	_, port, _ := net.SplitHostPort(at) // Free gives both
	y := &yard{c: c, dir: dir, w: w, engine: &rig.Cluster{Dir: dir, Port: port, Database: engine}}
	y.config = productConfig + fmt.Sprintf("temporal: { mode: external, address: %q }\ndatabase: { driver: postgres, url: %s }\nevidence: { url: %q }\nencryption: { key_ring: %q, %%s }\n",
		at, database, "file://"+filepath.ToSlash(filepath.Join(dir, "evidence"))+"?metadata=skip&create_dir=true", filepath.ToSlash(filepath.Join(dir, "keyring.json")))
	if y.api, err = prepareProduct(c.binary, filepath.Join(dir, "api"), w, fmt.Sprintf(y.config, fmt.Sprintf("signing_key: %q", filepath.ToSlash(filepath.Join(dir, "signing.json")))), playbook, "TOURNIQUET_ROLE=api"); err != nil {
		return nil, err
	}
	if _, err := y.command(ctx, "encryption", "init"); err != nil {
		return nil, err
	}
	public, err := y.command(ctx, "encryption", "public")
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "public.json"), public, 0o600)
	}
	if err == nil {
		err = y.engine.Start(ctx)
	}
	if err == nil {
		err = y.api.open(ctx, "/readyz")
	}
	if err != nil {
		y.engine.Kill()
		return nil, err
	}
	return y, nil
}

func (y *yard) command(ctx context.Context, args ...string) ([]byte, error) {
	out, err := exec.CommandContext(ctx, y.c.binary, append([]string{"--config", y.api.config}, args...)...).Output() //nolint:gosec // our own program
	if err != nil {
		return nil, fmt.Errorf("tourniquet %v: %w", args, err)
	}
	return out, nil
}

// hire starts n workers.
func (y *yard) hire(ctx context.Context, n int) error {
	keys := fmt.Sprintf("public_keys: %q", filepath.ToSlash(filepath.Join(y.dir, "public.json")))
	for i := range n {
		s, err := prepareProduct(y.c.binary, filepath.Join(y.dir, fmt.Sprintf("worker-%d", i+1)), y.w, fmt.Sprintf(y.config, keys), playbook, "TOURNIQUET_ROLE=worker")
		if err != nil {
			return err
		}
		if err := s.open(ctx, "/readyz"); err != nil {
			return err
		}
		y.workers = append(y.workers, s)
	}
	return nil
}

func (y *yard) dismiss() {
	for _, s := range y.workers {
		s.stop()
	}
	y.workers = nil
}

func (y *yard) close() {
	y.dismiss()
	y.api.stop()
	y.engine.Kill()
}

// row measures n workers.
func (y *yard) row(ctx context.Context, n, share int) (scaled, error) {
	row := scaled{Workers: n, Share: share, CPU: map[string]float64{}}
	defer y.dismiss()
	if err := y.hire(ctx, n); err != nil {
		return row, err
	}
	if _, err := drive(ctx, y.w, y.api, 50, 8); err != nil { // caches and connections are warm before anything counts
		return row, err
	}
	pids := []int{}
	for _, s := range y.workers {
		pids = append(pids, s.cmd.Process.Pid)
	}
	y.pids["workers"] = pids
	if share > 0 {
		defer slowDown(pids, share)()
	}
	runs := max((y.c.samples+4)/5, scaleAtOnce)
	say("%d workers, %d runs …", n, runs)
	before, idle := y.cpu(), idleTime()
	t, err := drive(ctx, y.w, y.api, runs, scaleAtOnce)
	if err != nil {
		return row, err
	}
	for who, d := range y.cpu() {
		row.CPU[who] = round(1000 * (d - before[who]).Seconds() / float64(runs))
	}
	slices.Sort(t.latencies)
	row.RunsSec, row.P50 = round(float64(runs)/t.took.Seconds()), round(float64(t.latencies[runs/2])/float64(time.Millisecond))
	row.Busy = round(100 * (1 - (idleTime()-idle).Seconds()/t.took.Seconds()/cores()))
	return row, nil
}

// scaleAims are judged where the workers are what limits. Without that the table says who takes the processor.
func scaleAims(rows []scaled) (aims []aim) {
	for _, s := range rows {
		if s.Workers == 2 && s.Share > 0 {
			aims = append(aims, aim{fmt.Sprintf("two workers that may each run %d %% of the time do at least %.3g times the runs/s of one", s.Share, aimScale), s.OfOne, s.OfOne >= aimScale})
		}
	}
	return aims
}
