package prices_test

import (
	"strings"
	"testing"

	"github.com/tourniquet-ir/tourniquet/internal/prices"
)

func table(t *testing.T, own ...prices.Block) *prices.Table {
	t.Helper()
	all, err := prices.New(own...)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestTheLongestNameWins(t *testing.T) {
	t.Parallel()
	for model, out := range map[string]float64{"gpt-5-mini-2025-08-07": 2, "gpt-5-2025-08-07": 10, "models/gemini-2.5-flash-lite": .4, "anthropic.claude-opus-4-5-20251101-v1:0": 25} {
		provider := map[byte]string{'g': "openai", 'm': "gemini", 'a': "anthropic"}[model[0]]
		p, ok := table(t).Of(provider, model)
		if !ok || p.Out != out || !strings.Contains(p.Basis, "list price") || !strings.Contains(p.Basis, "2026-") {
			t.Errorf("%s: %+v", model, p)
		}
	}
}

func TestAnUnknownModelIsPricedAtTheDearestAndSaysSo(t *testing.T) {
	t.Parallel()
	p, ok := table(t).Of("openai", "gpt-99")
	if !ok || p.Out != 180 || !strings.HasPrefix(p.Basis, "guessed") {
		t.Fatalf("%+v", p)
	}
	if _, ok := table(t).Of("nobody", "gpt-99"); ok {
		t.Error("a provider without prices has one")
	}
}

func TestTheOperatorsFiguresGoFirst(t *testing.T) {
	t.Parallel()
	own := prices.Block{Source: "our contract", Read: "2026-10-01", Providers: map[string]map[string][2]float64{"openai": {"gpt-5": {1, 2}}}}
	p, _ := table(t, own).Of("openai", "gpt-5-mini")
	if p.Out != 2 || !strings.Contains(p.Basis, "our contract") {
		t.Fatalf("%+v", p)
	}
	if micro := p.Micro(1_000_000, 500_000); micro != 2_000_000 {
		t.Errorf("a million in and half a million out cost %d", micro)
	}
}

func TestABlockWithoutSourceOrWithAnAbsurdPriceIsRefused(t *testing.T) {
	t.Parallel()
	for _, bad := range []prices.Block{{Read: "2026-10-01"}, {Source: "x", Read: "yesterday"},
		{Source: "x", Read: "2026-10-01", Providers: map[string]map[string][2]float64{"openai": {"gpt-5": {-1, 2}}}}} {
		if _, err := prices.New(bad); err == nil {
			t.Errorf("%+v was taken", bad)
		}
	}
}
