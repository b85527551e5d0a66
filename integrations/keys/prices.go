package keys

import "strings"

// Price is what a model costs, in US dollars per million tokens.
type Price struct{ Input, Output float64 }

// Prices are what an operator wrote down, for providers that tell no money per key.
type Prices struct {
	Models map[string]Price // by the beginning of a model's name; the longest that fits wins
	Basis  string           // where they come from, as "the price list of 1 November 2026"
}

// Of a model; known is false where nobody wrote one down.
func (p Prices) Of(model string) (price Price, known bool) {
	best := -1
	for start, at := range p.Models {
		if strings.HasPrefix(model, start) && len(start) > best {
			price, known, best = at, true, len(start)
		}
	}
	return price, known
}

// MicroUSD is what so many tokens cost, in millionths of a dollar: a dollar per million tokens is a millionth per token.
func (p Price) MicroUSD(input, output float64) int64 { return int64(input*p.Input + output*p.Output) }
