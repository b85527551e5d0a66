package activities

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
	"github.com/tourniquet-ir/tourniquet/playbooks"
)

func usageSnapshot() Action {
	return Action{
		Card: playbooks.Card{
			Name: "usage.snapshot", Effect: signoff.EffectObserve, Local: true, Repeat: true, Timeout: "60s", Attempts: 5,
			Summary: "Keep the provider's usage records of the key as evidence and sum them up",
			Inputs: []playbooks.Field{
				{Name: "key", Type: playbooks.TypeKey, Required: true, Doc: "the key"},
				{Name: "since", Type: playbooks.TypeTime, Required: true, Doc: "from when on"},
			},
			Outputs: []playbooks.Field{
				{Name: "requests", Type: playbooks.TypeInt, Doc: "number of calls; absent where the provider counts none"},
				{Name: "tokens", Type: playbooks.TypeInt, Doc: "tokens; absent where the provider counts none"},
				{Name: "cost_usd", Type: playbooks.TypeFloat, Doc: "US dollars; absent where nobody can say"},
				{Name: "cost_basis", Type: playbooks.TypeString, Doc: "billed, or estimated from which price list"},
				{Name: "new_addresses", Type: playbooks.TypeStrings, Doc: "source addresses not seen before, where offered"},
				{Name: "first_abuse", Type: playbooks.TypeTime, Doc: "first call that does not fit, where it can be told"},
				{Name: "burn_usd_per_hour", Type: playbooks.TypeFloat, Doc: "what the theft cost in an hour while it went on; absent where nobody can say"},
				{Name: "models", Type: playbooks.TypeStrings, Doc: "models that were called, where offered"},
				{Name: "regions", Type: playbooks.TypeStrings, Doc: "regions in which the key was used, where offered"},
				{Name: "agents", Type: playbooks.TypeStrings, Doc: "user agents as the callers gave them, where offered"},
				{Name: "probing", Type: playbooks.TypeInt, Doc: "calls by which thieves are known to try a key"},
				{Name: "table", Type: playbooks.TypeStrings, Required: true, Doc: "what cost most first: model, call, region, address, user agent and result with calls, tokens, dollars, first and last time"},
				{Name: "abuse_requests", Type: playbooks.TypeInt, Doc: "calls from first_abuse on, honest ones among them"},
				{Name: "abuse_usd", Type: playbooks.TypeFloat, Doc: "US dollars from first_abuse on; absent where nobody can say"},
				{Name: "curve", Type: playbooks.TypeStrings, Doc: "the burn curve: time, calls and US dollars of each stretch, at most 96"},
				{Name: "incomplete", Type: playbooks.TypeString, Doc: "why the figures are a lower bound; absent where they are not"},
				{Name: "summary", Type: playbooks.TypeString, Required: true, Doc: "in one sentence, with what the provider counts and nothing else"},
				{Name: "evidence", Type: playbooks.TypeString, Required: true, Doc: "digests of the raw answers, and of the whole table"},
			},
			Example: map[string]any{"requests": 9000, "tokens": 1200000, "cost_usd": 412.5, "cost_basis": "billed", "new_addresses": []any{"198.51.100.7"},
				"models": []any{"large-1"}, "regions": []any{"us-east-1"}, "agents": []any{"python-requests/2"}, "probing": 3,
				"burn_usd_per_hour": 137.5, "table": []any{"large-1 from 198.51.100.7: 9000 calls, 1200000 tokens, 412.50 USD, 00:12 to 03:12"}, "summary": "9000 calls, 1200000 tokens, 412.50 USD billed", "evidence": "sha256:0"},
		},
		Run: snapshot,
	}
}

func snapshot(ctx context.Context, h *House, in In) (Output, error) {
	p, k, err := h.target(in, "key")
	if err != nil {
		return Output{}, err
	}
	since := in.Time("since")
	if since.IsZero() {
		return Output{}, keys.Permanent(fmt.Errorf("since is not a time"))
	}
	until := h.Now()
	u, err := p.Usage(ctx, k, since, until)
	if err != nil {
		return Output{}, err
	}
	totals := keys.Totals(u.Rows)
	whole, err := tableOf(k, since, until, u, totals)
	if err != nil {
		return Output{}, err
	}
	digests, err := h.preserve(ctx, in, k.Provider, append(u.Raw, whole))
	if err != nil {
		return Output{}, err
	}
	out := map[string]any{"evidence": digests, "new_addresses": u.NewAddresses, "table": tableLines(u, totals)}
	figures(out, u, until)
	describe(out, u)
	trace(out, u)
	text := inWords(out, u)
	out["summary"] = text
	return Output{Values: out, Summary: text}, nil
}

// mostNames bounds lists of what callers can make up, such as user agents.
const mostNames = 50

// describe lists what the rows name.
func describe(out map[string]any, u keys.Usage) {
	var probing int64
	models, regions, agents := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, r := range u.Rows {
		models[r.Model], regions[r.Region], agents[r.Agent] = true, true, true
		if r.Probing {
			probing += r.Requests
		}
	}
	out["probing"] = probing
	for name, set := range map[string]map[string]bool{"models": models, "regions": regions, "agents": agents} {
		delete(set, "")
		names := slices.Sorted(maps.Keys(set))
		out[name] = append([]string{}, names[:min(len(names), mostNames)]...)
	}
}

// figures are the numbers that the provider gave, and none that it did not.
func figures(out map[string]any, u keys.Usage, until time.Time) {
	if !u.NoRequests {
		out["requests"] = u.Requests
	}
	if !u.NoTokens {
		out["tokens"] = u.Tokens
	}
	if u.CostKnown {
		out["cost_usd"], out["cost_basis"] = dollars(u.MicroUSD), u.CostBasis
	}
	if burn, known := u.BurnPerHour(until); known {
		out["burn_usd_per_hour"] = dollars(burn)
	}
	if !u.FirstAbuse.IsZero() {
		out["first_abuse"] = u.FirstAbuse.UTC().Format(time.RFC3339Nano)
	}
	if u.Incomplete != "" {
		out["incomplete"] = u.Incomplete
	}
}

func dollars(micro int64) float64 { return math.Round(float64(micro)/1e4) / 100 }

// mostBuckets bounds the curve, which travels with the outputs; the raw answers are evidence.
const mostBuckets = 96

// trace adds the burn curve, and what was used since the abuse began.
func trace(out map[string]any, u keys.Usage) {
	if since, known := u.SinceAbuse(); known {
		if !u.NoRequests {
			out["abuse_requests"] = since.Requests
		}
		if u.CostKnown {
			out["abuse_usd"] = dollars(since.MicroUSD)
		}
	}
	lines := []string{}
	for _, b := range u.Curve(mostBuckets) {
		cost := "unknown"
		if u.CostKnown {
			cost = strconv.FormatFloat(dollars(b.MicroUSD), 'f', 2, 64)
		}
		lines = append(lines, fmt.Sprintf("%s %d %s", b.At.Format(time.RFC3339), b.Requests, cost))
	}
	out["curve"] = lines
}

// preserve keeps raw answers as evidence; the digests come back as one line.
func (h *House) preserve(ctx context.Context, in In, source string, raw []keys.Raw) (string, error) {
	digests := ""
	for _, r := range raw {
		e, err := h.Evidence.Put(ctx, in.Run, in.Step, r.Name, source, r.Body, h.Now())
		if err != nil {
			return "", fmt.Errorf("evidence %q could not be kept: %w", r.Name, err)
		}
		if err := h.DB.PutEvidence(ctx, e); err != nil {
			return "", err
		}
		if digests != "" {
			digests += " "
		}
		digests += e.Digest
	}
	return digests, nil
}
