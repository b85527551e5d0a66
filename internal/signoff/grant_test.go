package signoff

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestAGrantAllowsExactlyWhatPeopleSaw(t *testing.T) {
	t.Parallel()
	g := testGrant(t, testEnvelope())
	raw, err := json.Marshal(g)
	if err != nil {
		t.Fatal(err)
	}
	var back Grant
	if err := json.Unmarshal(raw, &back); err != nil {
		t.Fatal(err)
	}
	for name, g := range map[string]Grant{"as made": g, "after a way through JSON": back} {
		p, r := g.Allows(testCall(), trustedKeysOfTest())
		if r != nil || p.Index != 1 {
			t.Fatalf("%s: want call 1, got %d and %v", name, p.Index, r)
		}
	}
}

func TestEveryRefusalOfAGrant(t *testing.T) {
	t.Parallel()
	evilPriv, evilPub := testKey("evil")
	resigned := func(change func(*Envelope)) func(*Grant, *CallCheck) {
		return func(g *Grant, _ *CallCheck) {
			e := g.clone().Envelope
			change(&e)
			*g = testGrant(t, e)
		}
	}
	decisions := func(ds ...Decision) func(*Grant, *CallCheck) {
		return func(g *Grant, _ *CallCheck) { g.Decisions = ds }
	}
	e := testEnvelope()
	ann, olga := answer(t, e, "ann", Approve, nil, "secops"), answer(t, e, "olga", Approve, nil)
	forged, _ := Sign(ann, "k1", evilPriv)
	for name, c := range map[string]struct {
		code   string
		change func(*Grant, *CallCheck)
	}{
		"own keys":            {UntrustedKey, resigned(func(e *Envelope) { e.PublicKeys["evil"] = evilPub })},
		"swapped key":         {UntrustedKey, func(g *Grant, _ *CallCheck) { g.Envelope.PublicKeys = map[string]string{"k1": evilPub} }},
		"no keys":             {UntrustedKey, func(g *Grant, _ *CallCheck) { g.Envelope.PublicKeys = nil }},
		"forged":              {BadSignature, decisions(forged, olga)},
		"changed envelope":    {StaleDigest, func(g *Grant, _ *CallCheck) { g.Envelope.Nonce = "n1" }},
		"fraction in inputs":  {BadEnvelope, func(g *Grant, _ *CallCheck) { g.Envelope.Calls[0].Inputs = map[string]any{"x": 0.5} }},
		"other request":       {WrongRequest, func(g *Grant, _ *CallCheck) { g.Request = "req-2" }},
		"a rejection":         {ClosedCode, decisions(ann, answer(t, e, "olga", Reject, func(d *Decision) { d.Reason = "no" }))},
		"odd verb":            {BadVerb, decisions(ann, answer(t, e, "olga", "maybe", nil))},
		"one missing":         {NoQuorum, decisions(ann)},
		"nobody":              {NoQuorum, decisions()},
		"twice the same":      {AlreadyCounted, decisions(ann, ann)},
		"stranger":            {NotEligible, decisions(ann, answer(t, e, "eve", Approve, nil, "guests"))},
		"starter":             {ExcludedCode, decisions(ann, answer(t, e, "sam", Approve, nil, "secops", "lead"))},
		"decided too late":    {ExpiredCode, decisions(ann, answer(t, e, "olga", Approve, func(d *Decision) { d.At = e.Expires }))},
		"decided before":      {TooEarly, decisions(ann, answer(t, e, "olga", Approve, func(d *Decision) { d.At = noon.Add(-1) }))},
		"membership unread":   {BadSignature, decisions(ann, answer(t, e, "olga", Approve, func(d *Decision) { d.SeenAt = time.Time{} }))},
		"empty rule":          {NotEligible, resigned(func(e *Envelope) { e.Rule.Seats = nil })},
		"empty rule, nobody":  {NoQuorum, func(g *Grant, _ *CallCheck) { g.Envelope.Rule.Seats, g.Decisions = nil, nil }},
		"quorum before votes": {TooEarly, func(g *Grant, _ *CallCheck) { g.QuorumAt = noon.Add(time.Minute) }},
		"quorum in future":    {TooEarly, func(g *Grant, c *CallCheck) { g.QuorumAt = c.Now.Add(1) }},
		"quorum past expiry":  {ExpiredCode, func(g *Grant, c *CallCheck) { g.QuorumAt = e.Expires; c.Now = e.Expires }},
		"used too late":       {LapsedCode, func(g *Grant, c *CallCheck) { c.Now = g.QuorumAt.Add(601 * time.Second) }},
		"started too late":    {LapsedCode, func(g *Grant, c *CallCheck) { c.Started = g.QuorumAt.Add(601 * time.Second); c.Now = c.Started }},
		"completed too late":  {LapsedCode, func(g *Grant, c *CallCheck) { c.Started = g.QuorumAt; c.Now = g.QuorumAt.Add(1801 * time.Second) }},
		"started in future":   {TooEarly, func(_ *Grant, c *CallCheck) { c.Started = c.Now.Add(1) }},
		"started before":      {TooEarly, func(g *Grant, c *CallCheck) { c.Started = g.QuorumAt.Add(-1) }},
		"no use-within":       {BadEnvelope, resigned(func(e *Envelope) { e.UseWithin = 0 })},
		"endless":             {BadEnvelope, resigned(func(e *Envelope) { e.Complete = 1 << 50 })},
		"drill":               {WrongPlace, func(_ *Grant, c *CallCheck) { c.World = "drill" }},
		"installation":        {WrongPlace, func(_ *Grant, c *CallCheck) { c.Installation = "b" }},
		"run":                 {WrongPlace, func(_ *Grant, c *CallCheck) { c.Run = "b" }},
		"workflow":            {WrongPlace, func(_ *Grant, c *CallCheck) { c.WorkflowID = "b" }},
		"step":                {NotPlanned, func(_ *Grant, c *CallCheck) { c.Step = "b" }},
		"action":              {NotPlanned, func(_ *Grant, c *CallCheck) { c.Action = "b" }},
		"card":                {NotPlanned, func(_ *Grant, c *CallCheck) { c.CardHash = "b" }},
		"effect":              {NotPlanned, func(_ *Grant, c *CallCheck) { c.Effect = EffectUndoable }},
		"step planned twice":  {BadEnvelope, resigned(func(e *Envelope) { e.Calls[0].Step = e.Calls[1].Step })},
		"input":               {InputsDiffer, func(_ *Grant, c *CallCheck) { c.Inputs["key"] = "k-9" }},
		"input more":          {InputsDiffer, func(_ *Grant, c *CallCheck) { c.Inputs["all"] = nil }},
		"input less":          {InputsDiffer, func(_ *Grant, c *CallCheck) { delete(c.Inputs, "tries") }},
		"reference unmade":    {InputsDiffer, func(g *Grant, c *CallCheck) { c.Inputs["new"] = g.Envelope.Calls[1].Inputs["new"] }},
		"other later value":   {InputsDiffer, func(_ *Grant, c *CallCheck) { c.Inputs["new"] = "k-9" }},
		"no receipt":          {InputsDiffer, func(_ *Grant, c *CallCheck) { c.Earlier = nil }},
		"receipt empty":       {InputsDiffer, func(_ *Grant, c *CallCheck) { c.Earlier = func(string, string) (any, bool) { return nil, false } }},
		"maker comes later":   {InputsDiffer, resigned(func(e *Envelope) { e.Calls[0], e.Calls[1] = e.Calls[1], e.Calls[0] })},
		"target":              {TargetDiffers, func(_ *Grant, c *CallCheck) { c.Target = "b" }},
		"drifted":             {Drifted, func(_ *Grant, c *CallCheck) { c.State["state"] = "disabled" }},
		"drifted, field gone": {Drifted, func(_ *Grant, c *CallCheck) { delete(c.State, "name") }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g, call := testGrant(t, testEnvelope()), testCall()
			c.change(&g, &call)
			_, r := g.Allows(call, trustedKeysOfTest())
			if r == nil || r.Code != c.code {
				t.Fatalf("want %s, got %+v", c.code, r)
			}
		})
	}
}

func TestDriftNamesTheFields(t *testing.T) {
	t.Parallel()
	c := testCall()
	c.State = map[string]string{"state": "disabled", "extra": "1"}
	_, r := testGrant(t, testEnvelope()).Allows(c, trustedKeysOfTest())
	if r == nil || !strings.Contains(r.Why, `"extra", "name", "state"`) {
		t.Fatalf("got %+v", r)
	}
}

func TestAGrantWithAnyDecisionTouchedIsRefused(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		g := testGrant(t, testEnvelope())
		i := rapid.IntRange(0, len(g.Decisions)-1).Draw(t, "which")
		d := &g.Decisions[i]
		switch rapid.IntRange(0, 13).Draw(t, "how") {
		case 0:
			g.Decisions = append(g.Decisions[:i], g.Decisions[i+1:]...)
		case 1:
			g.Decisions = append(g.Decisions, *d)
		case 2:
			d.Request += "x"
		case 3:
			d.Digest = "sha256:" + strings.Repeat("0", 64)
		case 4:
			d.Person += "x"
		case 5:
			d.Name += rapid.StringN(1, 5, -1).Draw(t, "name")
		case 6:
			d.Verb = Reject
		case 7:
			d.Reason = "because"
		case 8:
			d.Groups = append([]string{"lead"}, d.Groups...)
		case 9:
			d.SeenAt = d.SeenAt.Add(-time.Duration(rapid.Int64Range(1, 1e12).Draw(t, "ns")))
		case 10:
			d.At = d.At.Add(-time.Duration(rapid.Int64Range(1, 1e10).Draw(t, "ns")))
		case 11:
			d.Surface = "console"
		case 12:
			d.KeyID = "k2"
		case 13:
			b := []byte(d.Sig)
			b[rapid.IntRange(0, len(b)-1).Draw(t, "at")] ^= byte(rapid.IntRange(1, 127).Draw(t, "bits"))
			d.Sig = string(b)
		}
		if _, r := g.Allows(testCall(), trustedKeysOfTest()); r == nil {
			t.Fatalf("the touched grant is still allowed")
		}
	})
}

// FuzzGrantFromJSON throws altered JSON at the check: whatever is allowed must be what people signed.
func FuzzGrantFromJSON(f *testing.F) {
	good := testGrant(f, testEnvelope())
	want, _ := Digest(good.Envelope)
	raw, err := json.Marshal(good)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw)
	f.Add([]byte(`{}`))
	f.Add([]byte(strings.ReplaceAll(string(raw), `"secops"`, `"lead"`)))
	f.Fuzz(func(t *testing.T, b []byte) {
		var g Grant
		if json.Unmarshal(b, &g) != nil {
			return
		}
		for _, d := range g.Decisions {
			_ = Accept(g.Request, g.Envelope, want, StateOpen, nil, d, noon.Add(4*time.Minute))
		}
		if _, r := g.Allows(testCall(), trustedKeysOfTest()); r != nil {
			return
		}
		if got, _ := Digest(g.Envelope); got != want || len(g.Decisions) != 2 {
			t.Fatalf("allowed what nobody signed: %s", b)
		}
	})
}
