//go:build slim

package engine

import (
	"context"
	"errors"
	"sync/atomic"
)

// server does not exist in a slim build, which holds a tenth of the code: for workers and doors beside a cluster.
type server struct {
	address string
	muted   *atomic.Bool
}

func startServer(context.Context, Config) (*server, error) {
	return nil, errors.New("this is the slim build of Tourniquet, which holds no workflow engine: set temporal.mode to external, or use the full build")
}

func (*server) stop() error { return nil }
