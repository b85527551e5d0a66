package signoff

import (
	"strings"
	"testing"
	"time"
)

func TestEveryRefusalOfADecision(t *testing.T) {
	t.Parallel()
	e := testEnvelope()
	digest, _ := Digest(e)
	ann := answer(t, e, "ann", Approve, nil, "secops")
	why := func(d *Decision) { d.Reason = "not ours" }
	tampered := ann
	tampered.Groups = []string{"secops", "lead"}
	now := noon.Add(5 * time.Minute)
	for name, c := range map[string]struct {
		code    string // empty: it counts
		state   string
		counted []Decision
		d       Decision
		now     time.Time
	}{
		"member approves":         {"", StateOpen, nil, ann, now},
		"named person approves":   {"", StateOpen, []Decision{ann}, answer(t, e, "olga", Approve, nil), now},
		"rejects with a reason":   {"", StateOpen, nil, answer(t, e, "ann", Reject, why, "secops"), now},
		"approver rejects later":  {"", StateQuorum, []Decision{ann}, answer(t, e, "ann", Reject, why, "secops"), now},
		"stand-in not needed":     {NotEligible, StateOpen, nil, answer(t, e, "leo", Approve, nil, "lead"), now},
		"rejects without reason":  {NoReason, StateOpen, nil, answer(t, e, "ann", Reject, func(d *Decision) { d.Reason = " \n" }, "secops"), now},
		"approves after quorum":   {ClosedCode, StateQuorum, nil, ann, now},
		"rejects while executing": {ClosedCode, StateExecuting, nil, answer(t, e, "ann", Reject, why, "secops"), now},
		"answers after rejection": {ClosedCode, StateRejected, nil, ann, now},
		"twice":                   {AlreadyCounted, StateOpen, []Decision{ann}, ann, now},
		"stranger":                {NotEligible, StateOpen, nil, answer(t, e, "eve", Approve, nil, "guests"), now},
		"stranger rejects":        {NotEligible, StateOpen, nil, answer(t, e, "eve", Reject, why), now},
		"nobody":                  {NotEligible, StateOpen, nil, answer(t, e, "", Approve, nil, "secops"), now},
		"starter":                 {ExcludedCode, StateOpen, nil, answer(t, e, "sam", Approve, nil, "secops"), now},
		"after expiry":            {ExpiredCode, StateOpen, nil, ann, e.Expires},
		"from the future":         {TooEarly, StateOpen, nil, answer(t, e, "ann", Approve, func(d *Decision) { d.At = now.Add(6 * time.Second) }, "secops"), now},
		"tampered":                {BadSignature, StateOpen, nil, tampered, now},
		"other request":           {WrongRequest, StateOpen, nil, answer(t, e, "ann", Approve, func(d *Decision) { d.Request = "req-2" }, "secops"), now},
		"stale digest":            {StaleDigest, StateOpen, nil, answer(t, e, "ann", Approve, func(d *Decision) { d.Digest = "sha256:00" }, "secops"), now},
		"unknown verb":            {BadVerb, StateOpen, nil, answer(t, e, "ann", "run", nil, "secops"), now},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := Accept("req-1", e, digest, c.state, c.counted, c.d, c.now)
			if got := codeOf(r); got != c.code {
				t.Fatalf("want %q, got %+v", c.code, r)
			}
			if (c.code == ExcludedCode || c.code == NotEligible) && !strings.Contains(r.Why, `group "secops"`) {
				t.Fatalf("the sentence must say who could: %s", r.Why)
			}
		})
	}
}

func codeOf(r *Refusal) string {
	if r == nil {
		return ""
	}
	return r.Code
}

func TestAFrozenDigestOfAnotherEnvelopeIsStale(t *testing.T) {
	t.Parallel()
	e := testEnvelope()
	ann := answer(t, e, "ann", Approve, nil, "secops")
	e.Nonce = "n1"
	if r := Accept("req-1", e, ann.Digest, StateOpen, nil, ann, noon.Add(5*time.Minute)); codeOf(r) != StaleDigest {
		t.Fatalf("got %+v", r)
	}
}

func TestASignatureHasOneSpelling(t *testing.T) {
	t.Parallel()
	d := answer(t, testEnvelope(), "ann", Approve, nil, "secops")
	if r := Verify(d, trustedKeysOfTest()); r != nil {
		t.Fatal(r)
	}
	d.Sig = d.Sig[:10] + "\n" + d.Sig[10:] // the standard library reads over line breaks
	if r := Verify(d, trustedKeysOfTest()); codeOf(r) != BadSignature {
		t.Fatalf("got %+v", r)
	}
}
