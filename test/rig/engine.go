package rig

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"go.temporal.io/sdk/client"

	"github.com/tourniquet-ir/tourniquet/internal/engine"
	"github.com/tourniquet-ir/tourniquet/internal/seal"
)

// EngineArg makes a program that calls RunEngine a workflow engine: its folder and its port follow.
const EngineArg = "engine-child"

// databaseVar tells it where its state is; an address with a password is no argument.
const databaseVar = "RIG_ENGINE_DATABASE"

// RunEngine is the cluster that the product reaches over the network. It shares the key ring, as every process must.
func RunEngine(ctx context.Context, dir, port string) error {
	n, err := strconv.Atoi(port)
	if err != nil {
		return fmt.Errorf("the port %q is no number", port)
	}
	ring, err := seal.LoadOrCreate(filepath.Join(dir, "keyring.json"), rand.Reader)
	if err != nil {
		return err
	}
	e, err := engine.Start(ctx, engine.Config{
		DataDir: filepath.Join(dir, "engine"), FrontendPort: n, Postgres: os.Getenv(databaseVar), DataConverter: seal.DataConverter(ring), FailureConverter: seal.FailureConverter(ring),
	})
	if err != nil {
		return err
	}
	<-ctx.Done()
	return e.Close()
}

// Cluster is that process, as its parent sees it.
type Cluster struct {
	Dir, Port string
	Database  string // postgres://… in which it keeps its state; "": a file in Dir
	cmd       *exec.Cmd
	done      chan struct{}
}

// Address is where serve finds it.
func (c *Cluster) Address() string { return "127.0.0.1:" + c.Port }

// Start returns when the engine answers.
func (c *Cluster) Start(ctx context.Context) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	log, err := os.OpenFile(filepath.Join(c.Dir, "engine.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()                   // the child has its own handle
	c.cmd = exec.Command(self, EngineArg, c.Dir, c.Port) //nolint:noctx // ends with kill
	c.cmd.Env = append(os.Environ(), databaseVar+"="+c.Database)
	c.cmd.Stdout, c.cmd.Stderr = log, log
	if err := c.cmd.Start(); err != nil {
		return err
	}
	c.done = make(chan struct{})
	go func(cmd *exec.Cmd, done chan struct{}) { _ = cmd.Wait(); close(done) }(c.cmd, c.done)
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		if c.answers(ctx) {
			return nil
		}
		select {
		case <-c.done:
			return fmt.Errorf("the workflow engine ended; see engine.log in %s", c.Dir)
		case <-ctx.Done():
			return fmt.Errorf("the workflow engine does not answer: %w", ctx.Err())
		case <-tick.C:
		}
	}
}

func (c *Cluster) answers(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	tc, err := client.DialContext(ctx, client.Options{HostPort: c.Address(), Namespace: "tourniquet", Logger: quiet{}})
	if err != nil {
		return false
	}
	defer tc.Close()
	_, err = tc.CheckHealth(ctx, &client.CheckHealthRequest{})
	return err == nil
}

// Pid of the engine.
func (c *Cluster) Pid() int { return c.cmd.Process.Pid }

// Kill gives the engine no chance to tidy up.
func (c *Cluster) Kill() {
	if c.cmd == nil {
		return
	}
	_ = c.cmd.Process.Kill() // gone already is as good
	<-c.done
}

// quiet says nothing: an engine that is not there yet is no news.
type quiet struct{}

func (quiet) Debug(string, ...any) {}
func (quiet) Info(string, ...any)  {}
func (quiet) Warn(string, ...any)  {}
func (quiet) Error(string, ...any) {}

// Signal stops the process or lets it go on (SIGSTOP, SIGCONT).
func (c *Cluster) Signal(sig os.Signal) error { return c.cmd.Process.Signal(sig) }
