package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"
)

// The pairs that speak with each other through a proxy.
const (
	toSlack   = "serve to Slack"
	fromSlack = "Slack to serve"
	toGoogle  = "serve to Google"
	toGitHub  = "serve to GitHub"
	toEngine  = "serve to engine"
	toServe   = "sender to serve"
	toRecords = "serve to PostgreSQL"
	workersTo = "workers to engine" // where they are processes of their own
)

// pairs are the proxies by the name of the pair.
type pairs map[string]*toxiproxy.Proxy

// openPairs puts a proxy before each address.
func openPairs(far map[string]string) (pairs, error) {
	zerolog.SetGlobalLevel(zerolog.Disabled) // the proxies have nothing to say that the judge would not
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.New(io.Discard))
	out := pairs{}
	for name, upstream := range far {
		p := toxiproxy.NewProxy(server, strings.ReplaceAll(name, " ", "-"), "127.0.0.1:0", strings.TrimPrefix(upstream, "http://"))
		if err := p.Start(); err != nil {
			return nil, fmt.Errorf("the proxy %s does not start: %w", name, err)
		}
		out[name] = p
	}
	return out, nil
}

// directPairs are the same without anything between.
func directPairs(far map[string]string) pairs {
	out := pairs{}
	for name, upstream := range far {
		out[name] = &toxiproxy.Proxy{Listen: strings.TrimPrefix(upstream, "http://")}
	}
	return out
}

func (p pairs) address(pair string) string { return p[pair].Listen }
func (p pairs) url(pair string) string     { return "http://" + p.address(pair) }

func (p pairs) close() {
	for _, one := range p {
		if one.Enabled {
			one.Stop()
		}
	}
}

// poison adds a toxic to both directions of a pair, or to the one that is named; the answer takes it off again.
func (p pairs) poison(pair, toxic string, attributes map[string]any, streams ...string) (cure func() error, err error) {
	if len(streams) == 0 {
		streams = []string{"upstream", "downstream"}
	}
	var names []string
	for _, s := range streams {
		name := toxic + "-" + s
		raw, err := json.Marshal(map[string]any{"name": name, "type": toxic, "stream": s, "attributes": attributes})
		if err != nil {
			return nil, err
		}
		if _, err := p[pair].Toxics.AddToxicJson(strings.NewReader(string(raw))); err != nil {
			return nil, fmt.Errorf("%s: toxic %s: %w", pair, toxic, err)
		}
		names = append(names, name)
	}
	return func() error {
		for _, name := range names {
			if err := p[pair].Toxics.RemoveToxic(context.Background(), name); err != nil {
				return fmt.Errorf("%s: toxic %s: %w", pair, name, err)
			}
		}
		return nil
	}, nil
}
