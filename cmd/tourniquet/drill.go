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

// drillFlags are what the user chose.
type drillFlags struct {
	approve, worldLog, keep string
	report                  string
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
	c.Flags().StringVar(&f.report, "report", "", "write the report of the drill to this file: .md, .html or .json")
	c.Flags().BoolVar(&f.realistic, "realistic", false, "a deleted key works on as long as at the real provider (Google: 8 to 23 minutes) instead of 20 seconds")
	c.Flags().DurationVar(&f.limit, "time-limit", 30*time.Minute, "give up after this long")
	c.AddCommand(&cobra.Command{Use: "list", Short: "List the scenarios", Args: cobra.NoArgs, RunE: func(*cobra.Command, []string) error {
		return sh.listScenarios(sandbox.Scenarios())
	}}, &cobra.Command{Use: "show SCENARIO", Short: "Say what a scenario does and what it expects", Args: cobra.ExactArgs(1), RunE: func(_ *cobra.Command, args []string) error {
		sc, err := pickScenario(args)
		if err != nil {
			return err
		}
		return sh.listScenarios([]sandbox.Scenario{sc})
	}})
	return c
}

func pickScenario(args []string) (sandbox.Scenario, error) {
	name := ""
	if len(args) > 0 {
		name = args[0]
	}
	sc, known := sandbox.ScenarioNamed(name)
	if !known {
		return sc, misuse("there is no scenario %q; see: tourniquet drill list", name)
	}
	return sc, nil
}

// listed is a scenario as drill list shows it.
type listed struct {
	Name     string `json:"name"`
	Summary  string `json:"summary"`
	Provider string `json:"provider"`
	Expected string `json:"expected"`
}

func (sh *shell) listScenarios(list []sandbox.Scenario) error {
	out := make([]listed, 0, len(list))
	for _, s := range list {
		out = append(out, listed{s.Name, s.Summary, s.Issuer.Provider, s.Outcome})
	}
	if sh.JSON {
		return writeJSON(sh.Out, out)
	}
	for _, s := range out {
		if _, err := fmt.Fprintf(sh.Out, "%-20s %s (expected: %s)\n", s.Name, s.Summary, s.Expected); err != nil {
			return err
		}
	}
	return nil
}

// drill sets the stage, opens the very house that serve opens, and lets the theft happen.
func (sh *shell) drill(ctx context.Context, sc sandbox.Scenario, f drillFlags) error {
	if !reportForm(f.report) {
		return misuse("--report takes a file that ends in .md, .html or .json, not %q", f.report)
	}
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
	lingers := sc.Delay(f.realistic)
	stage, err := sc.Stage(sandbox.Options{Log: log, RevocationDelay: lingers})
	if err != nil {
		return err
	}
	defer stage.Close()
	d := &rehearsal{sh: sh, scenario: sc, stage: stage, scripted: f.approve == "auto" || !isTerminal(sh.In), delay: lingers, typing: make(chan string)}
	if f.approve != "auto" && d.scripted {
		d.say("no terminal: scripted people will press the buttons (--approve auto)")
	}
	if err := sh.openDrill(ctx, dir, d); err != nil {
		return err
	}
	err = d.run(ctx)
	if d.run_.State == "done" { // a bad end is shown and judged like a good one
		err = errors.Join(err, d.finish(ctx), d.writeReport(ctx, f.report))
		d.linger(ctx)
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
	s := settings{Config: cfg, Env: sh.places(cfg), World: incident.WorldDrill, Log: slog.New(slog.NewTextHandler(sh.Talk, &slog.HandlerOptions{Level: slog.LevelError})), Viewer: rand.Text()}
	d.url, d.viewer = cfg.URL(), s.Viewer
	d.close, err = open(ctx, s, fx.Populate(&d.db, &d.evidence, &d.signer))
	if err != nil {
		return err
	}
	d.stage.Connect(d.url)
	d.log = s.Log
	return nil
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
