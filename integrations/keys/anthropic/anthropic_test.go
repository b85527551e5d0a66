package anthropic_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/integrations/keys/anthropic"
	"github.com/tourniquet-ir/tourniquet/integrations/keys/keytest"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/prices"
	"github.com/tourniquet-ir/tourniquet/internal/sandbox"
)

// house is a world with the service in it, and a provider that is pointed there.
type house struct {
	*anthropic.Provider
	keytest.Bench[*anthropic.Provider]
	world *sandbox.World
}

func build(t *testing.T) house {
	t.Helper()
	w := sandbox.NewWorld(sandbox.Options{RevocationDelay: -1})
	b := keytest.Open(t, w.Anthropic(), keytest.Call(sandbox.AnthropicCall), func(url string) (*anthropic.Provider, error) { return open(url, w.AdminToken()) })
	return house{b.Provider, b, w}
}

func open(url, admin string) (*anthropic.Provider, error) {
	table, err := prices.New()
	if err != nil {
		return nil, err
	}
	return anthropic.New(anthropic.Config{Account: "demo", AdminKey: admin, BaseURL: url, Prices: table})
}

func (h house) find(t *testing.T, k sandbox.Key) incident.Key {
	t.Helper()
	return h.Find(t, k, k.ID)
}

func TestAKeyIsContainedGivenBackRevokedAndProvenDead(t *testing.T) {
	t.Parallel()
	h := build(t)
	stolen := h.world.NewAnthropicKey(sandbox.AnthropicKey{Name: "shop", Workspace: "wrkspc_1"})
	key := h.find(t, stolen)
	before, err := h.State(t.Context(), keys.OpContain, key)
	if err != nil || before.Done || before.Fields["status"] != "active" {
		t.Fatalf("%+v %v", before, err)
	}
	h.Spend(t, stolen.Secret(), http.StatusOK)
	for range 2 { // a repeat has the same effect
		if got, err := h.Contain(t.Context(), key); err != nil || got.After["status"] != "inactive" || got.RequestID == "" {
			t.Fatalf("%+v %v", got, err)
		}
	}
	h.Spend(t, stolen.Secret(), http.StatusUnauthorized)
	if st, err := h.State(t.Context(), keys.OpRevoke, key); err != nil || st.Done || st.Fields["archived"] != "false" {
		t.Fatalf("containment changed the plan of the revocation: %+v %v", st, err)
	}
	if got, err := h.Restore(t.Context(), key, before.Undo); err != nil || got.After["status"] != "active" {
		t.Fatalf("%+v %v", got, err)
	}
	h.Spend(t, stolen.Secret(), http.StatusOK)
	h.Tries(t, stolen.Secret(), keys.ProbeWorking)
	if _, err := h.Revoke(t.Context(), key); err != nil {
		t.Fatal(err)
	}
	h.Tries(t, stolen.Secret(), keys.ProbeRefused)
	for _, gone := range []incident.Key{key, {ID: "apikey_nobodyhasit"}} {
		if got, err := h.Revoke(t.Context(), gone); err != nil || got.Summary == "" {
			t.Errorf("revoking what is gone: %+v %v", got, err)
		}
	}
	if got, err := h.Contain(t.Context(), key); err != nil || !strings.Contains(got.Summary, "archived already") {
		t.Errorf("containing what is archived: %+v %v", got, err)
	}
	if _, err := h.Restore(t.Context(), key, before.Undo); err == nil || !keys.IsPermanent(err) {
		t.Errorf("an archived key came back: %v", err)
	}
}

func TestAnAmbiguousHintGivesEveryKeyThatFits(t *testing.T) {
	t.Parallel()
	h := build(t)
	value := func(middle string) string { return "sk-ant-" + "api03-R2D" + strings.Repeat(middle, 86) + "xyAA" }
	one := h.world.NewAnthropicKey(sandbox.AnthropicKey{Name: "one", Value: value("a")})
	two := h.world.NewAnthropicKey(sandbox.AnthropicKey{Name: "two", Value: value("b")})
	h.world.NewAnthropicKey(sandbox.AnthropicKey{Name: "other"})
	for name, look := range map[string]struct {
		clue   incident.Clue
		secret string
	}{"by value": {secret: one.Secret()}, "by hint": {clue: incident.Clue{Hint: "sk-ant…xyAA"}}, "as Anthropic writes it": {clue: incident.Clue{Hint: "sk-ant-" + "api03-R2D...xyAA"}}} {
		found, err := h.Identify(t.Context(), look.clue, []byte(look.secret))
		if err != nil || len(found) != 2 {
			t.Fatalf("%s: %d keys, %v", name, len(found), err)
		}
	}
	if found, err := h.Identify(t.Context(), incident.Clue{ID: two.ID}, nil); err != nil || len(found) != 1 || found[0].Name != "two" {
		t.Errorf("by id: %+v %v", found, err)
	}
	if found, err := h.Identify(t.Context(), incident.Clue{Hint: "AA"}, nil); err != nil || found != nil {
		t.Errorf("two characters are no hint: %+v %v", found, err)
	}
}

func TestUsageIsTokensWithAPriceAndTheCostReportIsEvidence(t *testing.T) {
	t.Parallel()
	h := build(t)
	stolen := h.world.NewAnthropicKey(sandbox.AnthropicKey{Name: "shop", Workspace: "wrkspc_1"})
	other := h.world.NewAnthropicKey(sandbox.AnthropicKey{Name: "other", Workspace: "wrkspc_1"})
	for range 12 {
		h.Spend(t, stolen.Secret(), http.StatusOK)
	}
	h.Spend(t, other.Secret(), http.StatusOK)
	now := time.Now()
	u, err := h.Usage(t.Context(), h.find(t, stolen), now.Add(-3*time.Hour), now)
	if err != nil {
		t.Fatal(err)
	}
	if u.Tokens != 12*(1000+5) || u.MicroUSD != 12*(1000*10+5*2) || !u.CostKnown || !strings.Contains(u.CostBasis, "estimated") {
		t.Errorf("%d tokens, %d millionths, %q", u.Tokens, u.MicroUSD, u.CostBasis)
	}
	if u.Requests != 0 || !u.NoRequests || u.Incomplete != "" || u.FirstAbuse.IsZero() || u.Rows[0].Region != "global" {
		t.Errorf("%+v", u.Rows)
	}
	names := []string{}
	for _, r := range u.Raw {
		names = append(names, r.Name)
	}
	if !slices.Contains(names, "usage-report-messages-1.json") || !slices.Contains(names, "cost-report-1.json") {
		t.Errorf("evidence: %v", names)
	}
	if !slices.ContainsFunc(u.Raw, func(r keys.Raw) bool { return strings.Contains(string(r.Body), `"amount":"13.0130"`) }) {
		t.Errorf("the cost report does not hold 13.0195 cents for the workspace")
	}
	for _, span := range []time.Duration{2 * time.Minute, 40 * time.Hour, 30 * 24 * time.Hour} { // one page and several
		if u, err := h.Usage(t.Context(), h.find(t, stolen), now.Add(-span), now.Add(time.Second)); err != nil || u.Tokens != 12*(1000+5) {
			t.Errorf("over %s: %d tokens, %v", span, u.Tokens, err)
		}
	}
}

func TestWhatAnIntruderMadeIsFound(t *testing.T) {
	t.Parallel()
	h := build(t)
	old := h.world.NewAnthropicKey(sandbox.AnthropicKey{Name: "shop"})
	since := time.Now()
	fresh := h.world.NewAnthropicKey(sandbox.AnthropicKey{Name: "backdoor", By: "user_intruder"})
	h.world.InviteToAnthropic("intruder@example.net", "admin")
	traces, raw, err := h.Persistence(t.Context(), h.find(t, old), since)
	if err != nil || len(traces) != 2 || len(raw) != 2 {
		t.Fatalf("%+v %d %v", traces, len(raw), err)
	}
	if traces[0].Kind != "key_created" || !strings.Contains(traces[0].What, fresh.ID) || traces[0].Actor != "user_intruder" || traces[1].Kind != "person_invited" {
		t.Errorf("%+v", traces)
	}
}

func TestManyKeysAreReadPageByPage(t *testing.T) {
	t.Parallel()
	h := build(t)
	last := h.world.NewAnthropicKey(sandbox.AnthropicKey{Name: "first made, last listed"})
	for n := range 1100 {
		h.world.NewAnthropicKey(sandbox.AnthropicKey{Name: fmt.Sprint(n)})
	}
	h.find(t, last)
	if len(h.Seen()) != 2 {
		t.Errorf("%d requests for 1,101 keys: %v", len(h.Seen()), h.Seen())
	}
}

func TestWhatAnthropicCannotDoIsDeclared(t *testing.T) {
	t.Parallel()
	h := build(t)
	for op, available := range map[keys.Op]bool{keys.OpContain: true, keys.OpRestore: true, keys.OpRevoke: true, keys.OpCreate: false, keys.OpSessions: false} {
		c := h.Can(op)
		if c.Available != available || available && c.What == "" || !available && c.Why == "" {
			t.Errorf("%s: %+v", op, c)
		}
	}
	if _, err := h.Create(t.Context(), incident.Key{ID: "k"}, "l"); !errors.Is(err, keys.ErrUnsupported) || !keys.IsPermanent(err) {
		t.Errorf("%v", err)
	}
	if len(h.Seen()) != 0 {
		t.Errorf("Anthropic was asked: %v", h.Seen())
	}
	if h.Can(keys.OpCreate).ByHand == "" {
		t.Error("nobody is told where a key is made by hand")
	}
}

func TestContainmentIsOneRequest(t *testing.T) {
	t.Parallel()
	h := build(t)
	key := h.find(t, h.world.NewAnthropicKey(sandbox.AnthropicKey{Name: "shop"}))
	h.Forget()
	if _, err := h.Contain(t.Context(), key); err != nil || len(h.Seen()) != 1 || h.Seen()[0] != "POST /v1/organizations/api_keys/"+key.ID {
		t.Errorf("%v %v", h.Seen(), err)
	}
}

func TestAChangeIsSentOnceWhenItsAnswerIsLost(t *testing.T) {
	t.Parallel()
	h := build(t)
	key := h.find(t, h.world.NewAnthropicKey(sandbox.AnthropicKey{Name: "shop"}))
	for name, do := range map[string]func(context.Context) error{
		"contain": func(ctx context.Context) error { _, err := h.Contain(ctx, key); return err },
		"revoke":  func(ctx context.Context) error { _, err := h.Revoke(ctx, key); return err },
	} {
		h.Forget()
		h.world.Fault("anthropic-admin", sandbox.FaultLost, 1)
		if err := do(t.Context()); err == nil || keys.IsPermanent(err) || len(h.Seen()) != 1 {
			t.Errorf("%s: %v after %v", name, err, h.Seen())
		}
	}
}
