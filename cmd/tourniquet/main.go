package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

// Exit codes that scripts depend on (docs/commands.md).
const (
	exitGood    = 0
	exitFailed  = 1
	exitMisuse  = 2
	exitWaiting = 3
	exitNoAuth  = 4
	exitPolicy  = 5
)

// coded is an error with its exit code.
type coded struct {
	code int
	err  error
}

func (c *coded) Error() string { return c.err.Error() }
func (c *coded) Unwrap() error { return c.err }

func misuse(format string, args ...any) error { return &coded{exitMisuse, fmt.Errorf(format, args...)} }

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr, os.LookupEnv)
	stop()
	os.Exit(code)
}

// shell is what a command may touch: the answer goes to Out, talk goes to Talk.
type shell struct {
	In        io.Reader
	Out, Talk io.Writer
	Env       func(string) (string, bool)
	Config    string
	Server    string
	JSON      bool
}

// run is main without the process, for tests.
func run(ctx context.Context, args []string, in io.Reader, out, talk io.Writer, env func(string) (string, bool)) int {
	sh := &shell{In: in, Out: out, Talk: talk, Env: env}
	root := sh.root()
	root.SetArgs(args)
	root.SetIn(in)
	root.SetOut(out)
	root.SetErr(talk)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitGood
	}
	if text := err.Error(); text != "" {
		_, _ = fmt.Fprintln(talk, "tourniquet: "+text)
	}
	var c *coded
	if errors.As(err, &c) {
		return c.code
	}
	return exitFailed
}

func (sh *shell) root() *cobra.Command {
	root := &cobra.Command{
		Use: "tourniquet", Short: "Incident response for stolen AI API keys",
		Long:          "Tourniquet contains a stolen AI API key at once with what can be undone, and asks people to sign for what cannot.",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	output := ""
	f := root.PersistentFlags()
	f.StringVar(&sh.Config, "config", sh.env("TOURNIQUET_CONFIG", "tourniquet.yaml"), "configuration file")
	f.StringVar(&sh.Server, "server", sh.env("TOURNIQUET_SERVER", ""), "address of a running serve (default: from the configuration)")
	f.StringVarP(&output, "output", "o", "text", "text or json")
	root.PersistentPreRunE = func(*cobra.Command, []string) error {
		if output != "text" && output != "json" {
			return misuse("-o takes text or json, not %q", output)
		}
		sh.JSON = output == "json"
		return nil
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return &coded{exitMisuse, err} })
	root.AddCommand(sh.initCmd(), sh.drillCmd(), sh.serveCmd(), sh.sandboxCmd(), sh.doctorCmd(), sh.alertCmd(), sh.runCmd(),
		sh.holdCmd(), sh.signoffCmd(), sh.keyCmd(), sh.playbookCmd(), sh.actionCmd(), sh.sourceCmd(), sh.silenceCmd(), sh.watchCmd(), sh.evidenceCmd(), sh.personCmd(), sh.configCmd(), sh.versionCmd())
	root.AddCommand(sh.inventoryCmd(), sh.encryptionCmd(), sh.temporalCmd(), sh.databaseCmd(), sh.healthcheckCmd())
	return root
}

func (sh *shell) env(name, otherwise string) string {
	if v, ok := sh.Env(name); ok && v != "" {
		return v
	}
	return otherwise
}

// group is a command that only holds others.
func group(use, short string, children ...*cobra.Command) *cobra.Command {
	c := &cobra.Command{Use: use, Short: short, Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
		_ = cmd.Help()
		return misuse("say which %s command", use)
	}}
	c.AddCommand(children...)
	return c
}
