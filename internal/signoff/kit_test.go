package signoff

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"maps"
	"slices"
	"time"
)

// fataler is what both *testing.T and *rapid.T offer.
type fataler interface {
	Helper()
	Fatalf(format string, args ...any)
}

func testKey(name string) (ed25519.PrivateKey, string) {
	seed := sha256.Sum256([]byte("test key " + name))
	priv := ed25519.NewKeyFromSeed(seed[:])
	return priv, base64.StdEncoding.EncodeToString(priv.Public().(ed25519.PublicKey))
}

func trustedKeysOfTest() map[string]string {
	_, pub := testKey("gateway")
	return map[string]string{"k1": pub}
}

var noon = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

func testEnvelope() Envelope {
	return Envelope{
		World: "production", Installation: "acme", Incident: "inc-1", WorkflowID: "wf-1", Run: "run-1", Step: "replace",
		Attempt: 1, Nonce: "n0", Playbook: "leaked", PlaybookHash: "sha256:aa",
		Calls: []PlannedCall{
			{Index: 0, Step: "replace/create", Action: "key.create", CardHash: "sha256:c1", Effect: EffectUndoable,
				Inputs: map[string]any{"account": "main"}, Target: "gemini:main", State: map[string]string{"keys": "3"}},
			{Index: 1, Step: "replace/revoke", Action: "key.revoke", CardHash: "sha256:c2", Effect: EffectFinal,
				Inputs: map[string]any{"key": "k-7", "tries": 2, "new": map[string]any{LaterKey: map[string]any{"step": "replace/create", "output": "key"}}},
				Target: "gemini:main:k-7", State: map[string]string{"state": "enabled", "name": "shop"}, Undo: "none", Reach: "key", After: "gone"},
		},
		Evidence: []string{"sha256:ee"},
		Rule: Rule{Seats: []Seat{{Group: "secops", Count: 1}, {Named: PartKeyOwner, Person: "olga", Else: "lead", Count: 1}},
			Excluded: []string{"sam"}},
		PolicyHash: "sha256:bb", Issued: noon, Expires: noon.Add(4 * time.Hour), UseWithin: 600, Complete: 1800,
		PublicKeys: trustedKeysOfTest(),
	}
}

func answer(t fataler, e Envelope, person, verb string, change func(*Decision), groups ...string) Decision {
	t.Helper()
	digest, err := Digest(e)
	if err != nil {
		t.Fatalf("digest: %v", err)
	}
	d := Decision{Request: "req-1", Digest: digest, Person: person, Name: person, Verb: verb, Groups: groups,
		SeenAt: noon.Add(time.Minute), At: noon.Add(2 * time.Minute), Surface: "slack"}
	if change != nil {
		change(&d)
	}
	priv, _ := testKey("gateway")
	d, err = Sign(d, "k1", priv)
	if err != nil {
		t.Fatalf("sign: %v", err)
	}
	return d
}

func testGrant(t fataler, e Envelope) Grant {
	t.Helper()
	return Grant{Request: "req-1", Envelope: e, QuorumAt: noon.Add(3 * time.Minute), Decisions: []Decision{
		answer(t, e, "ann", Approve, nil, "secops"), answer(t, e, "olga", Approve, nil)}}
}

func testCall() CallCheck {
	return CallCheck{Now: noon.Add(4 * time.Minute), World: "production", Installation: "acme", Run: "run-1", WorkflowID: "wf-1",
		Step: "replace/revoke", Action: "key.revoke", CardHash: "sha256:c2", Effect: EffectFinal,
		Inputs: map[string]any{"key": "k-7", "tries": 2.0, "new": map[string]any{"id": "k-8"}},
		Target: "gemini:main:k-7", State: map[string]string{"state": "enabled", "name": "shop"},
		Earlier: func(step, output string) (any, bool) {
			return map[string]any{"id": "k-8"}, step == "replace/create" && output == "key"
		}}
}

// clone copies what the tests change, so that no two cases share a map or slice.
func (g Grant) clone() Grant {
	e := &g.Envelope
	e.PublicKeys = maps.Clone(e.PublicKeys)
	e.Calls = slices.Clone(e.Calls)
	e.Rule.Seats = slices.Clone(e.Rule.Seats)
	g.Decisions = slices.Clone(g.Decisions)
	return g
}
