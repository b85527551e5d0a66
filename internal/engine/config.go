package engine

import (
	"fmt"
	"log/slog"
	"time"

	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/interceptor"
)

const (
	defaultNamespace = "tourniquet"
	defaultRetention = 30 * 24 * time.Hour
	// closeWithin bounds how long Close waits for the embedded server.
	closeWithin = 10 * time.Second
)

// Config says where the workflow engine is. Both converters are required: without them secrets would be stored readable.
type Config struct {
	DataDir          string        // holds temporal.db and lock; made with mode 0700 when missing
	Lock             *DirLock      // the lock on DataDir when the caller already holds it; otherwise Start takes it
	Namespace        string        // default "tourniquet"
	Retention        time.Duration // how long the embedded server keeps closed runs; default 30 days
	Logger           *slog.Logger  // default: silence
	DataConverter    converter.DataConverter
	FailureConverter converter.FailureConverter
	Interceptor      interceptor.Interceptor // around clients, workflows and activities; nil: none
	External         *External               // nil: embedded server
	FrontendPort     int                     // of the embedded server, for another process to find it; 0: any free one
	Postgres         string                  // postgres://…: the embedded server keeps its state there and not in a file

	choosePorts func() (*ports, error) // tests only
}

// External is a Temporal cluster run by somebody else. Its namespace must exist.
type External struct {
	Address   string    // host:port
	Namespace string    // overrides Config.Namespace when set
	TLS       *TLSFiles // nil: no TLS, unless there is an API key
	APIKey    string    // for Temporal Cloud; implies TLS
}

// TLSFiles are PEM files. All may be empty: TLS with the system's authorities and no client certificate.
type TLSFiles struct {
	Cert, Key  string // both or none
	CA         string
	ServerName string // when the certificate carries another name than the address
}

// withDefaults returns the completed copy, or what is wrong with the original.
func (c Config) withDefaults() (Config, error) {
	if c.DataConverter == nil || c.FailureConverter == nil {
		return c, fmt.Errorf("the workflow engine needs a data converter and a failure converter that encrypt")
	}
	if c.External == nil && c.DataDir == "" {
		return c, fmt.Errorf("the workflow engine needs a data directory or the address of a Temporal cluster")
	}
	if c.Namespace == "" {
		c.Namespace = defaultNamespace
	}
	if c.External != nil && c.External.Namespace != "" {
		c.Namespace = c.External.Namespace
	}
	if c.Retention == 0 {
		c.Retention = defaultRetention
	}
	if c.Retention < 24*time.Hour {
		return c, fmt.Errorf("closed runs must be kept for a day or longer, not %v", c.Retention)
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.choosePorts == nil {
		c.choosePorts = func() (*ports, error) { return choosePortsFrom(c.FrontendPort) }
	}
	return c, nil
}
