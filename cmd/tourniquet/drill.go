package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"
	"go.uber.org/fx"
	"golang.org/x/term"

	"github.com/tourniquet-ir/tourniquet/internal/config"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/sandbox"
)

// scenario is one rehearsal.
type scenario struct {
	Name, Summary, Outcome string
	Spend                  time.Duration // how long the thief spends before GitHub's scanner speaks up
}

var scenarios = []scenario{{
	Name: "gemini-leak", Outcome: incident.OutcomeContained, Spend: 3 * time.Second,
	Summary: "a Gemini key leaks in a repository and is spent at 28 USD a minute until it is contained",
}}

// drillFlags are what the user chose.
type drillFlags struct {
	approve, worldLog, keep string
	realistic               bool
	limit                   time.Duration
}

func (sh *shell) drillCmd() *cobra.Command {
	var f drillFlags
	c := &cobra.Command{
		Use: "drill [SCENARIO]", Short: "Rehearse a theft against the sandbox, in one process", Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			sc, err := pickScenario(args)
			if err != nil {
				return err
			}
			return sh.drill(cmd.Context(), sc, f)
		},
	}
	c.Flags().StringVar(&f.approve, "approve", "", "auto: scripted people press the buttons (also without a terminal)")
	c.Flags().StringVar(&f.worldLog, "world-log", "", "write every request the sandbox saw to this file, as JSON lines")
	c.Flags().StringVar(&f.keep, "keep", "", "keep the drill's data in this folder")
	c.Flags().BoolVar(&f.realistic, "realistic", false, "a deleted key works 8 to 23 minutes more, as seen with Google, instead of 20 seconds")
	c.Flags().DurationVar(&f.limit, "time-limit", 30*time.Minute, "give up after this long")
	c.AddCommand(&cobra.Command{Use: "list", Short: "List the scenarios", Args: cobra.NoArgs, RunE: func(*cobra.Command, []string) error {
		return sh.listScenarios(scenarios)
	}}, &cobra.Command{Use: "show SCENARIO", Short: "Say what a scenario does and what it expects", Args: cobra.ExactArgs(1), RunE: func(_ *cobra.Command, args []string) error {
		sc, err := pickScenario(args)
		if err != nil {
			return err
		}
		return sh.listScenarios([]scenario{sc})
	}})
	return c
}

func pickScenario(args []string) (scenario, error) {
	if len(args) == 0 {
		return scenarios[0], nil
	}
	for _, s := range scenarios {
		if s.Name == args[0] {
			return s, nil
		}
	}
	return scenario{}, misuse("there is no scenario %q; see: tourniquet drill list", args[0])
}

func (sh *shell) listScenarios(list []scenario) error {
	if sh.JSON {
		return writeJSON(sh.Out, list)
	}
	for _, s := range list {
		if _, err := fmt.Fprintf(sh.Out, "%-14s %s (expected: %s)\n", s.Name, s.Summary, s.Outcome); err != nil {
			return err
		}
	}
	return nil
}

// drill sets the stage, opens the very house that serve opens, and lets the theft happen.
func (sh *shell) drill(ctx context.Context, sc scenario, f drillFlags) error {
	ctx, cancel := context.WithTimeout(ctx, f.limit)
	defer cancel()
	dir, clean, err := drillDir(f.keep)
	if err != nil {
		return err
	}
	defer clean()
	log, closeLog, err := worldLog(f.worldLog)
	if err != nil {
		return err
	}
	defer closeLog()
	stage, err := sandbox.NewStage(sandbox.Options{Log: log, RevocationDelay: delay(f.realistic)})
	if err != nil {
		return err
	}
	defer stage.Close()
	d := &rehearsal{sh: sh, scenario: sc, stage: stage, scripted: f.approve == "auto" || !isTerminal(sh.In), delay: delay(f.realistic)}
	if f.approve != "auto" && d.scripted {
		d.say("no terminal: scripted people will press the buttons (--approve auto)")
	}
	if err := sh.openDrill(ctx, dir, d); err != nil {
		return err
	}
	err = d.run(ctx)
	if d.run_.State == "done" { // a bad end is shown and judged like a good one
		err = errors.Join(err, d.finish(ctx))
	}
	return errors.Join(err, d.close())
}

// openDrill starts the house on the stage's configuration.
func (sh *shell) openDrill(ctx context.Context, dir string, d *rehearsal) error {
	listen, err := freePort()
	if err != nil {
		return err
	}
	path, err := d.stage.Write(dir, listen)
	if err != nil {
		return err
	}
	cfg, err := config.Load(path)
	if err != nil {
		return err
	}
	d.say("starting Tourniquet, the sandbox and its Slack …")
	s := settings{Config: cfg, Env: sh.Env, World: incident.WorldDrill, Log: slog.New(slog.NewTextHandler(sh.Talk, &slog.HandlerOptions{Level: slog.LevelError})), Viewer: rand.Text()}
	d.url, d.viewer = cfg.URL(), s.Viewer
	d.close, err = open(ctx, s, fx.Populate(&d.db, &d.evidence, &d.signer))
	if err != nil {
		return err
	}
	d.stage.Connect(d.url)
	d.log = s.Log
	return nil
}

// delay is how long a deleted key goes on working.
func delay(realistic bool) time.Duration {
	if realistic {
		return 15 * time.Minute // in the middle of what was seen: 8 to 23 minutes
	}
	return 20 * time.Second
}

func drillDir(keep string) (dir string, clean func(), err error) {
	if keep != "" {
		if dir, err = filepath.Abs(keep); err == nil {
			err = os.MkdirAll(dir, 0o700)
		}
		return dir, func() {}, err
	}
	dir, err = os.MkdirTemp("", "tourniquet-drill-")
	return dir, func() { _ = os.RemoveAll(dir) }, err
}

func worldLog(path string) (io.Writer, func(), error) {
	if path == "" {
		return nil, func() {}, nil
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, nil, fmt.Errorf("the world log cannot be written: %w", err)
	}
	return f, func() { _ = f.Close() }, nil
}

func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("no loopback port is free: %w", err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String(), nil
}

// isTerminal reports whether somebody can type.
func isTerminal(in io.Reader) bool {
	f, ok := in.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
