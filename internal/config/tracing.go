package config

import (
	"fmt"
	"net/url"
)

// Tracing sends OpenTelemetry traces, from the alert to the last request at a provider.
type Tracing struct {
	Endpoint string            `yaml:"endpoint"` // an OTLP receiver over gRPC, as https://collector.example:4317; empty: no traces
	Headers  map[string]Secret `yaml:"headers"`  // what the receiver wants to see, for instance a token
	Sample   *float64          `yaml:"sample"`   // how many of the traces are kept, from 0 to 1; default 1
}

func (t Tracing) check() (faults []error) {
	if t.Endpoint == "" {
		if len(t.Headers) > 0 || t.Sample != nil {
			faults = append(faults, fmt.Errorf("tracing.endpoint: is needed: without it nothing is sent"))
		}
		return faults
	}
	at, err := url.Parse(t.Endpoint)
	if err != nil || at.Host == "" || at.Scheme != "https" && at.Scheme != "http" {
		faults = append(faults, fmt.Errorf("tracing.endpoint: %q is not an address like https://collector.example:4317", t.Endpoint))
	}
	if s := t.Sample; s != nil && (*s < 0 || *s > 1) {
		faults = append(faults, fmt.Errorf("tracing.sample: is a share between 0 and 1, not %v", *s))
	}
	return faults
}

// Share is how many of the traces are kept.
func (t Tracing) Share() float64 {
	if t.Sample == nil {
		return 1
	}
	return *t.Sample
}
