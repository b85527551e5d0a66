package prices

import (
	"bytes"
	_ "embed" // the shipped table
	"fmt"
	"math"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

//go:embed prices.yaml
var shipped []byte

// Block is a part of the table that was read at one place on one day.
type Block struct {
	Source    string                           `yaml:"source"`
	Read      string                           `yaml:"read"`      // YYYY-MM-DD
	Providers map[string]map[string][2]float64 `yaml:"providers"` // provider -> model -> dollars per million tokens in and out
}

// Table answers what a model costs. Earlier blocks go first.
type Table struct{ blocks []Block }

// Price is one figure with where it comes from.
type Price struct {
	In, Out float64 // US dollars per million tokens
	Basis   string  // for people: model, source, date, and that it is a guess where it is one
}

// New is the shipped table behind the operator's own blocks.
func New(own ...Block) (*Table, error) {
	var all []Block
	dec := yaml.NewDecoder(bytes.NewReader(shipped))
	dec.KnownFields(true)
	if err := dec.Decode(&all); err != nil {
		return nil, fmt.Errorf("the shipped price table: %w", err)
	}
	all = append(append([]Block(nil), own...), all...)
	for _, b := range all {
		if err := b.check(); err != nil {
			return nil, err
		}
	}
	return &Table{all}, nil
}

func (b Block) check() error {
	if _, err := time.Parse(time.DateOnly, b.Read); err != nil || b.Source == "" {
		return fmt.Errorf("prices: every block says its source and the day it was read, as 2026-08-05; one says %q and %q", b.Source, b.Read)
	}
	for provider, models := range b.Providers {
		for model, p := range models {
			for _, usd := range p {
				if usd < 0 || usd > 100_000 || math.IsNaN(usd) {
					return fmt.Errorf("prices: %v is no price of %s %q in dollars per million tokens", usd, provider, model)
				}
			}
		}
	}
	return nil
}

// Of is the price of a model: that of the longest name which it begins with, else the dearest of the provider. False where the
// provider has no price at all.
func (t *Table) Of(provider, model string) (Price, bool) {
	name := model[strings.LastIndex(model, "/")+1:] // "models/gemini-2.5-pro", "anthropic/claude-opus-4-5"
	name = strings.TrimPrefix(strings.ToLower(name), "anthropic.")
	for _, b := range t.blocks {
		best := ""
		for known := range b.Providers[provider] {
			if strings.HasPrefix(name, known) && len(known) > len(best) {
				best = known
			}
		}
		if best != "" {
			p := b.Providers[provider][best]
			return Price{p[0], p[1], fmt.Sprintf("estimated from the list price of %s (%s, %s)", best, b.Source, b.Read)}, true
		}
	}
	return t.dearest(provider, model)
}

func (t *Table) dearest(provider, model string) (out Price, found bool) {
	for _, b := range t.blocks {
		for known, p := range b.Providers[provider] {
			if !found || p[1] > out.Out || p[1] == out.Out && p[0] > out.In {
				found, out = true, Price{p[0], p[1], fmt.Sprintf("guessed: %q has no price here, so it counts as %s, the dearest that is known (%s, %s)", model, known, b.Source, b.Read)}
			}
		}
	}
	return out, found
}

// Micro is what tokens cost in millionths of a dollar.
func (p Price) Micro(in, out int64) int64 {
	return int64(math.Round(float64(in)*p.In + float64(out)*p.Out))
}
