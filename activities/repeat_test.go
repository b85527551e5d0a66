package activities

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/sandbox"
	"github.com/tourniquet-ir/tourniquet/internal/wire"
)

func TestADoneRowReturnsItsReceiptWithoutACall(t *testing.T) {
	t.Parallel()
	b := build(t)
	c := b.call("key.revoke", "key", nil)
	g := b.grant(t, c, "ann", "bob")
	c.Grant = &g
	first := b.done(t, c)
	before := len(b.world.Entries())
	again := b.done(t, c)
	if again.Summary != first.Summary || again.Already != first.Already {
		t.Errorf("the first time %+v, the second time %+v", first, again)
	}
	if n := len(b.world.Entries()) - before; n != 0 {
		t.Errorf("the provider was asked %d more times", n)
	}
}

func TestAStartedRowReadsTheTargetFirst(t *testing.T) {
	t.Parallel()
	for name, arrived := range map[string]bool{"the call had arrived": true, "the call had not arrived": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := build(t)
			c := b.call("key.revoke", "key", nil)
			g := b.grant(t, c, "ann", "bob")
			c.Grant = &g
			row := b.started(t, c)
			if arrived {
				must(b.h.Providers[0].Revoke(t.Context(), b.key))(t)
			}
			res := b.done(t, c)
			if n := b.sent(sandbox.EffectFinal); n != 1 {
				t.Errorf("the key was deleted %d times", n)
			}
			if n := b.asked(http.MethodDelete); n != 1 {
				t.Errorf("the provider was asked %d times to delete the key", n)
			}
			if res.Already != arrived {
				t.Errorf("already is %v: %+v", res.Already, res)
			}
			rows := must(b.h.DB.Calls(t.Context(), "run-1"))(t)
			if len(rows) != 1 || rows[0].ID != row.ID || rows[0].State != database.CallDone {
				t.Errorf("the rows are %+v", rows)
			}
		})
	}
}

// started writes the row that an interrupted attempt leaves: the intent was committed, the answer never came.
func (b *bench) started(t *testing.T, c wire.Call) database.CallRow {
	t.Helper()
	a := must(b.h.action(c.Action))(t)
	e := must(a.DryRun(t.Context(), b.h, In{c}))(t)
	sent := c
	sent.With = throughJSON(t, c.With)
	row, fresh, err := b.h.DB.BeginCall(t.Context(), database.CallRow{
		ID: callID(*c.Grant, c.Step), Run: c.Run, Request: c.Grant.Request, Step: c.Step, Action: c.Action, Target: e.Target,
		Digest: inputsDigest(In{sent}), StartedAt: time.Now(),
	})
	if err != nil || !fresh {
		t.Fatalf("the row could not be begun: %v", err)
	}
	return row
}

func throughJSON(t *testing.T, v map[string]any) (out map[string]any) {
	t.Helper()
	raw, err := json.Marshal(v)
	if err == nil {
		err = json.Unmarshal(raw, &out)
	}
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func (b *bench) asked(method string) (n int) {
	for _, e := range b.world.Entries() {
		if e.Method == method {
			n++
		}
	}
	return n
}

func TestASecondRevokeIsASuccess(t *testing.T) {
	t.Parallel()
	b := build(t)
	c := b.call("key.revoke", "key", nil)
	g := b.grant(t, c, "ann", "bob")
	c.Grant = &g
	must(b.h.Providers[0].Revoke(t.Context(), b.key))(t) // somebody was faster
	if res := b.done(t, c); !res.Already {
		t.Errorf("the result does not say that the key was gone: %+v", res)
	}
	if n := b.sent(sandbox.EffectFinal); n != 1 {
		t.Errorf("the key was deleted %d times", n)
	}
}

func TestKeyCreateDeletesTheOrphanOfAnInterruptedAttempt(t *testing.T) {
	t.Parallel()
	b := build(t)
	c := b.call("key.create", "like", nil)
	p := b.h.Providers[0]
	orphan := must(p.Create(t.Context(), b.key, createLabel(In{c})))(t)
	stranger := must(p.Create(t.Context(), b.key, "tourniquet-of-another-run"))(t)
	made := madeKey(t, b.done(t, c))
	for id, want := range map[string]bool{orphan.Key.ID: true, stranger.Key.ID: false, b.key.ID: false, made.ID: false} {
		k := b.key
		k.ID = id
		st := must(p.State(t.Context(), "revoke", k))(t)
		if st.Done != want {
			t.Errorf("key %s (orphan %s) is deleted: %v, want %v", id, orphan.Key.ID, st.Done, want)
		}
	}
}

func madeKey(t *testing.T, res wire.Result) (k incident.Key) {
	t.Helper()
	raw, err := json.Marshal(res.Outputs["key"])
	if err == nil {
		err = json.Unmarshal(raw, &k)
	}
	if err != nil || k.ID == "" || k.Secret == nil {
		t.Fatalf("the result names no new key with a sealed value: %v %+v", err, res)
	}
	return k
}

func TestTheNewSecretIsOnlySealed(t *testing.T) {
	t.Parallel()
	b := build(t)
	res := b.done(t, b.call("key.create", "like", nil))
	made := madeKey(t, res)
	secret := must(b.h.DB.OpenSealed(t.Context(), *made.Secret))(t)
	if len(secret) < 20 || !strings.HasSuffix(made.Hint, string(secret[len(secret)-4:])) {
		t.Fatalf("the sealed value is not the new key's: it has %d bytes and the hint is %q", len(secret), made.Hint)
	}
	raw := must(json.Marshal(res))(t)
	if bytes.Contains(raw, secret) {
		t.Error("the result shows the value")
	}
	files := must(filepath.Glob(filepath.Join(b.dir, "*")))(t)
	if len(files) < 3 {
		t.Fatalf("only %q were looked through", files)
	}
	for _, name := range files {
		if bytes.Contains(must(os.ReadFile(name))(t), secret) {
			t.Errorf("%s holds the value in the clear", filepath.Base(name))
		}
	}
	if !bytes.Contains(must(os.ReadFile(filepath.Join(b.dir, "tourniquet.db-wal")))(t), []byte(made.ID)) {
		t.Error("the new key's id is not in the file either, so the search proves nothing")
	}
}
