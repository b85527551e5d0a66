package activities

import (
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/tourniquet-ir/tourniquet/integrations/keys/anthropic"
	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/sandbox"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
	"github.com/tourniquet-ir/tourniquet/internal/wire"
)

// handmade is a bench whose key is Anthropic's, which no call can replace.
func handmade(t *testing.T) (*bench, sandbox.Key) {
	t.Helper()
	b := build(t)
	server := httptest.NewServer(b.world.Anthropic())
	t.Cleanup(server.Close)
	p := must(anthropic.New(anthropic.Config{Account: "main", AdminKey: b.world.AdminToken(), BaseURL: server.URL}))(t)
	b.h.Providers = append(b.h.Providers, Account{"main", p})
	b.h.Policy.Responders = "secops"
	stolen := b.world.NewAnthropicKey(sandbox.AnthropicKey{Name: "shop"})
	b.key = must(p.Identify(t.Context(), incident.Clue{ID: stolen.ID}, nil))(t)[0]
	return b, stolen
}

func (b *bench) openQuestion(t *testing.T) database.Question {
	t.Helper()
	open := must(b.h.DB.Questions(t.Context(), "run-1", true))(t)
	if len(open) != 1 || open[0].Kind != database.QuestionKey {
		t.Fatalf("open questions: %+v", open)
	}
	return open[0]
}

// seal is what the gateway does with a key that a person typed.
func (b *bench) seal(t *testing.T, q database.Question, value string) {
	t.Helper()
	ref := must(b.h.DB.PutSealed(t.Context(), "new/"+q.Run+"/"+q.Step, []byte(value), q.Run))(t)
	if _, won, err := b.h.DB.AnswerQuestion(t.Context(), q.ID, SealedAnswer(ref), "ann", time.Now()); err != nil || !won {
		t.Fatal(err)
	}
}

func TestAKeyThatNoCallCanMakeIsAskedForSealedAndCheckedBeforeItIsUsed(t *testing.T) {
	t.Parallel()
	b, stolen := handmade(t)
	c := b.call("key.create", "like", nil)
	g := b.grant(t, c, "ann", "bob")
	if after := g.Envelope.Calls[0].After; !strings.Contains(after, "A person makes it in Anthropic's console") {
		t.Errorf("the plan says %q", after)
	}
	if g.Envelope.Complete < signoff.Seconds(handsTime/time.Second) {
		t.Errorf("a person gets %d seconds", g.Envelope.Complete)
	}
	c.Grant = &g
	for range 2 { // asked once, however often it is looked
		_, err := b.do(t, c)
		refused(t, err, wire.ErrWait)
	}
	first := b.openQuestion(t)
	if !strings.Contains(first.Prompt, "tourniquet key seal "+first.ID) || !strings.Contains(first.Prompt, b.key.Target()) {
		t.Errorf("people read %q", first.Prompt)
	}
	for _, wrong := range []struct{ value, why string }{
		{stolen.Secret(), "the stolen key itself"},
		{"sk-ant-" + "api03-" + strings.Repeat("z", 93), "knows no such key"},
	} {
		b.seal(t, b.openQuestion(t), wrong.value)
		_, err := b.do(t, c)
		refused(t, err, wire.ErrWait)
		if next := b.openQuestion(t); !strings.Contains(next.Prompt, wrong.why) {
			t.Errorf("people read %q, want %q", next.Prompt, wrong.why)
		}
	}
	fresh := b.world.NewAnthropicKey(sandbox.AnthropicKey{Name: "shop, new"})
	b.seal(t, b.openQuestion(t), fresh.Secret())
	res := b.done(t, c)
	raw := must(json.Marshal(res))(t)
	var made struct{ Key incident.Key }
	if err := json.Unmarshal(must(json.Marshal(res.Outputs))(t), &made); err != nil || made.Key.ID != fresh.ID || made.Key.Secret == nil {
		t.Fatalf("%s %v", raw, err)
	}
	if strings.Contains(string(raw), fresh.Secret()) {
		t.Error("the result holds the key")
	}
	if value := must(b.h.DB.OpenSealed(t.Context(), *made.Key.Secret))(t); string(value) != fresh.Secret() {
		t.Error("the handle does not open to the new key")
	}
	if _, err := b.h.DB.OpenSealed(t.Context(), incident.SecretRef{Handle: "new/run-1/" + c.Step, Version: 1}); err == nil {
		t.Error("what was not the key is still kept")
	}
}
