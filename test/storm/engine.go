package main

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

// engineArg makes this program a workflow engine: its folder and its port follow.
const engineArg = "engine-child"

// runEngine is the cluster that the product reaches over the network. It shares the key ring, as every process must.
func runEngine(ctx context.Context, dir, port string) error {
	n, err := strconv.Atoi(port)
	if err != nil {
		return fmt.Errorf("the port %q is no number", port)
	}
	ring, err := seal.LoadOrCreate(filepath.Join(dir, "keyring.json"), rand.Reader)
	if err != nil {
		return err
	}
	e, err := engine.Start(ctx, engine.Config{
		DataDir: filepath.Join(dir, "engine"), FrontendPort: n, DataConverter: seal.DataConverter(ring), FailureConverter: seal.FailureConverter(ring),
	})
	if err != nil {
		return err
	}
	<-ctx.Done()
	return e.Close()
}

// cluster is that process, as its parent sees it.
type cluster struct {
	dir, port string
	cmd       *exec.Cmd
	done      chan struct{}
}

func (c *cluster) address() string { return "127.0.0.1:" + c.port }

// start returns when the engine answers.
func (c *cluster) start(ctx context.Context) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	log, err := os.OpenFile(filepath.Join(c.dir, "engine.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()                   // the child has its own handle
	c.cmd = exec.Command(self, engineArg, c.dir, c.port) //nolint:noctx // ends with kill
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
			return fmt.Errorf("the workflow engine ended; see engine.log in %s", c.dir)
		case <-ctx.Done():
			return fmt.Errorf("the workflow engine does not answer: %w", ctx.Err())
		case <-tick.C:
		}
	}
}

func (c *cluster) answers(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	tc, err := client.DialContext(ctx, client.Options{HostPort: c.address(), Namespace: "tourniquet", Logger: quiet{}})
	if err != nil {
		return false
	}
	defer tc.Close()
	_, err = tc.CheckHealth(ctx, &client.CheckHealthRequest{})
	return err == nil
}

// kill gives the engine no chance to tidy up.
func (c *cluster) kill() {
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
