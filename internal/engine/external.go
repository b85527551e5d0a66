package engine

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"time"

	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"google.golang.org/protobuf/types/known/durationpb"
)

const dialWithin = 15 * time.Second

// connect makes the client of a cluster elsewhere and asks it for the namespace.
func connect(ctx context.Context, cfg Config) (*Engine, error) {
	ctx, cancel := context.WithTimeout(ctx, dialWithin)
	defer cancel()
	e, err := dial(ctx, cfg)
	if err != nil {
		return nil, err
	}
	_, err = e.client.WorkflowService().DescribeNamespace(ctx, &workflowservice.DescribeNamespaceRequest{Namespace: cfg.Namespace})
	if missing := new(serviceerror.NamespaceNotFound); errors.As(err, &missing) {
		err = fmt.Errorf("the Temporal cluster at %q has no namespace %q; make it with: tourniquet temporal namespace (or: temporal operator namespace create --retention 30d --namespace %s)",
			cfg.External.Address, cfg.Namespace, cfg.Namespace)
	}
	if err != nil {
		return nil, errors.Join(err, e.Close())
	}
	return e, nil
}

func dial(ctx context.Context, cfg Config) (*Engine, error) {
	ext := cfg.External
	opts := clientOptions(cfg, ext.Address)
	var err error
	if opts.ConnectionOptions.TLS, err = ext.tls(); err != nil {
		return nil, err
	}
	if ext.APIKey != "" {
		opts.Credentials = client.NewAPIKeyStaticCredentials(ext.APIKey)
	}
	c, err := client.DialContext(ctx, opts)
	if err != nil {
		return nil, fmt.Errorf("reaching the Temporal cluster at %q: %w", ext.Address, err)
	}
	return &Engine{client: c, namespace: cfg.Namespace}, nil
}

// EnsureNamespace makes the namespace in an external cluster, or brings how long it keeps closed runs to what cfg says. It says
// which of the two it did.
func EnsureNamespace(ctx context.Context, cfg Config) (made bool, err error) {
	cfg, err = cfg.withDefaults()
	if err != nil {
		return false, err
	}
	if cfg.External == nil {
		return false, errors.New("the embedded engine makes its namespace itself; this is for temporal.mode external")
	}
	ctx, cancel := context.WithTimeout(ctx, dialWithin)
	defer cancel()
	e, err := dial(ctx, cfg)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, e.Close()) }()
	_, err = e.client.WorkflowService().RegisterNamespace(ctx, &workflowservice.RegisterNamespaceRequest{
		Namespace: cfg.Namespace, Description: "Tourniquet", WorkflowExecutionRetentionPeriod: durationpb.New(cfg.Retention),
	})
	if already := new(serviceerror.NamespaceAlreadyExists); errors.As(err, &already) {
		return false, e.keepFor(ctx, cfg.Retention)
	}
	if err != nil {
		return false, fmt.Errorf("making the namespace %q at %q: %w", cfg.Namespace, cfg.External.Address, err)
	}
	return true, nil
}

func (x *External) tls() (*tls.Config, error) {
	if x.TLS == nil && x.APIKey == "" {
		return nil, nil //nolint:nilnil // no TLS is a valid answer
	}
	out := &tls.Config{MinVersion: tls.VersionTLS12}
	if x.TLS == nil {
		return out, nil
	}
	out.ServerName = x.TLS.ServerName
	if (x.TLS.Cert == "") != (x.TLS.Key == "") {
		return nil, fmt.Errorf("a client certificate for Temporal needs both files, the certificate and its key; got %q and %q", x.TLS.Cert, x.TLS.Key)
	}
	if x.TLS.Cert != "" {
		pair, err := tls.LoadX509KeyPair(x.TLS.Cert, x.TLS.Key)
		if err != nil {
			return nil, fmt.Errorf("loading the client certificate %q for Temporal: %w", x.TLS.Cert, err)
		}
		out.Certificates = []tls.Certificate{pair}
	}
	if x.TLS.CA != "" {
		pem, err := os.ReadFile(x.TLS.CA)
		if err != nil {
			return nil, fmt.Errorf("reading the authority of the Temporal cluster: %w", err)
		}
		out.RootCAs = x509.NewCertPool()
		if !out.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("the file %q holds no PEM certificate", x.TLS.CA)
		}
	}
	return out, nil
}
