package activities

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/internal/evidence"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/sandbox"
	"github.com/tourniquet-ir/tourniquet/playbooks"
)

// used is a provider that only tells what it was told.
type used struct {
	keys.Provider
	u keys.Usage
}

func (u used) Name() string { return "gemini" }

func (u used) Usage(context.Context, incident.Key, time.Time, time.Time) (keys.Usage, error) {
	return u.u, nil
}

func (b *bench) withEvidence(t *testing.T) {
	t.Helper()
	store := must(evidence.Open(t.Context(), "file://"+filepath.ToSlash(filepath.Join(b.dir, "evidence"))+"?metadata=skip&create_dir=true"))(t)
	t.Cleanup(func() { _ = store.Close() })
	b.h.Evidence = store
}

func (b *bench) snapshot(t *testing.T) map[string]any {
	t.Helper()
	c := b.call("usage.snapshot", "key", nil)
	c.With["since"] = time.Now().Add(-time.Hour).UTC().Format(time.RFC3339)
	res := b.done(t, c)
	for name := range res.Outputs {
		if !slices.ContainsFunc(usageSnapshot().Card.Outputs, func(f playbooks.Field) bool { return f.Name == name }) {
			t.Errorf("the card does not know the output %q", name)
		}
	}
	return res.Outputs
}

func TestASnapshotIsOneTableWhoeverTheProviderIs(t *testing.T) {
	t.Parallel()
	b := build(t)
	b.withEvidence(t)
	noon := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	b.h.Now = func() time.Time { return noon.Add(time.Hour) }
	b.h.Providers = []Account{{"main", used{u: keys.Usage{
		CostKnown: true, CostBasis: "estimated", Requests: 32, Tokens: 4000, MicroUSD: 6_000_000, FirstAbuse: noon.Add(30 * time.Second),
		Rows: []keys.UsageRow{
			{Seconds: 60, At: noon.Add(-time.Minute), Requests: 1, MicroUSD: 0, Model: "small"},
			{Seconds: 60, At: noon, Requests: 1, Method: "ListFiles", Probing: true, Address: "198.51.100.7"},
			{Seconds: 60, At: noon, Requests: 10, Tokens: 2000, MicroUSD: 2_000_000, Model: "large", Region: "eu", Address: "198.51.100.7", Agent: "bot\n" + strings.Repeat("x", 500)},
			{Seconds: 60, At: noon.Add(time.Minute), Requests: 20, Tokens: 2000, MicroUSD: 4_000_000, Model: "large", Region: "eu", Address: "198.51.100.7", Agent: "bot\n" + strings.Repeat("x", 500)},
		},
		Raw: []keys.Raw{{Name: "raw-1.json", Body: []byte(`{"as":"it came"}`)}},
	}}}}
	got := b.snapshot(t)
	if got["burn_usd_per_hour"] != 240.0 || got["cost_usd"] != 6.0 || got["requests"] != 32.0 || got["probing"] != 1.0 {
		t.Errorf("figures: %v", got)
	}
	lines, _ := got["table"].([]any)
	if len(lines) != 3 {
		t.Fatalf("table: %v", got["table"])
	}
	first, _ := lines[0].(string)
	if !strings.HasPrefix(first, "large in eu from 198.51.100.7 with bot xxx") || !strings.HasSuffix(first, "…: 30 calls, 4000 tokens, 6.00 USD, 2026-11-25 12:00 to 2026-11-25 12:01") || strings.Contains(first, "\n") {
		t.Errorf("the dearest line is %q", first)
	}
	if s, _ := got["summary"].(string); s != "32 calls, 4000 tokens, 6.00 USD estimated, 240.00 USD an hour while it went on, 1 calls by which thieves try keys" {
		t.Errorf("in words: %q", s)
	}
	kept := must(b.h.DB.EvidenceOf(t.Context(), "run-1"))(t)
	if len(kept) != 2 || kept[0].Name != "raw-1.json" || kept[1].Name != tableName {
		t.Fatalf("evidence: %+v", kept)
	}
	var table usageTable
	if err := json.Unmarshal(must(b.h.Evidence.Get(t.Context(), kept[1].Digest))(t), &table); err != nil || len(table.Rows) != 4 || len(table.Totals) != 3 || *table.Requests != 32 {
		t.Errorf("the table that is kept: %+v, %v", table, err)
	}
}

func TestWhatAProviderDoesNotCountIsAbsentAndNotZero(t *testing.T) {
	t.Parallel()
	b, stolen := handmade(t)
	b.withEvidence(t)
	server := httptest.NewServer(b.world.Anthropic())
	t.Cleanup(server.Close)
	for range 3 {
		r := must(sandbox.AnthropicCall(t.Context(), server.URL, stolen.Secret(), 400))(t)
		res := must(http.DefaultClient.Do(r))(t)
		_ = res.Body.Close()
		if res.StatusCode != http.StatusOK {
			t.Fatal(res.Status)
		}
	}
	got := b.snapshot(t)
	if _, claimed := got["requests"]; claimed {
		t.Errorf("Anthropic counts no calls, and the snapshot says %v", got["requests"])
	}
	if tokens, _ := got["tokens"].(float64); tokens < 1200 {
		t.Errorf("tokens: %v", got["tokens"])
	}
	if s, _ := got["summary"].(string); strings.Contains(s, "calls") || strings.Contains(s, "at least") || !strings.Contains(s, "tokens") {
		t.Errorf("in words: %q", s)
	}
}
