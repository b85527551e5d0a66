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
)

const dialWithin = 15 * time.Second

// connect makes the client of a cluster elsewhere and asks it for the namespace, which its operators must have made.
func connect(ctx context.Context, cfg Config) (*Engine, error) {
	ext := cfg.External
	opts := clientOptions(cfg, ext.Address)
	var err error
	if opts.ConnectionOptions.TLS, err = ext.tls(); err != nil {
		return nil, err
	}
	if ext.APIKey != "" {
		opts.Credentials = client.NewAPIKeyStaticCredentials(ext.APIKey)
	}
	ctx, cancel := context.WithTimeout(ctx, dialWithin)
	defer cancel()
	c, err := client.DialContext(ctx, opts)
	if err != nil {
		return nil, fmt.Errorf("reaching the Temporal cluster at %q: %w", ext.Address, err)
	}
	e := &Engine{client: c, namespace: cfg.Namespace}
	_, err = c.WorkflowService().DescribeNamespace(ctx, &workflowservice.DescribeNamespaceRequest{Namespace: cfg.Namespace})
	if missing := new(serviceerror.NamespaceNotFound); errors.As(err, &missing) {
		err = fmt.Errorf("the Temporal cluster at %q has no namespace %q; make it with: temporal operator namespace create --retention 30d --namespace %s",
			ext.Address, cfg.Namespace, cfg.Namespace)
	}
	if err != nil {
		return nil, errors.Join(err, e.Close())
	}
	return e, nil
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
