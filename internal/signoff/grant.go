package signoff

import (
	"math"
	"strings"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

// MaxComplete is the longest time that one grant may be used for, from its first call to its last.
const MaxComplete = 2 * time.Hour

// CallCheck is the call that an action is about to send, as the action itself knows it.
type CallCheck struct {
	Now                                  time.Time
	World, Installation, Run, WorkflowID string
	Step, Action, CardHash, Effect       string
	Inputs                               map[string]any
	Target                               string
	State                                map[string]string // read just now
	Started                              time.Time         // first call under this grant, zero if none

	// Earlier gives an output from the receipt of an earlier call of the same request.
	Earlier func(step, output string) (any, bool)
}

// Allows says whether this grant permits the call, believing nothing but trusted, the public keys of this
// installation (id -> base64 Ed25519), and c. Digest, signatures, exclusions and quorum are computed anew.
// It gives back the planned call, or why not.
func (g Grant) Allows(c CallCheck, trusted map[string]string) (PlannedCall, *Refusal) {
	for _, check := range []func() *Refusal{
		func() *Refusal { return trustedKeys(g.Envelope.PublicKeys, trusted) },
		g.decided,
		func() *Refusal { return g.timely(c) },
		func() *Refusal { return g.here(c) },
	} {
		if r := check(); r != nil {
			return PlannedCall{}, r
		}
	}
	p, before, r := planned(g.Envelope.Calls, c)
	if r == nil {
		r = sameInputs(p, before, c)
	}
	if r == nil {
		r = sameTarget(p, c)
	}
	if r != nil {
		return PlannedCall{}, r
	}
	return p, nil
}

// trustedKeys keeps whoever can write an envelope from bringing keys of their own.
func trustedKeys(brought, trusted map[string]string) *Refusal {
	if len(brought) == 0 {
		return refuse(UntrustedKey, "the envelope carries no public keys, so that no decision can be checked")
	}
	for id, key := range brought {
		if key == "" || trusted[id] != key {
			return refuse(UntrustedKey, "the envelope carries a public key %q that this installation does not trust; check who made this request", id)
		}
	}
	return nil
}

// decided checks every decision as if for the first time, and the quorum over them.
func (g Grant) decided() *Refusal {
	digest, err := Digest(g.Envelope)
	if err != nil {
		return refuse(BadEnvelope, "%s", err)
	}
	var counted []Decision
	for _, d := range g.Decisions {
		r := Verify(d, g.Envelope.PublicKeys)
		if r == nil {
			r = fits(g.Request, g.Envelope, digest, d)
		}
		if r == nil && d.Verb != Approve {
			r = refuse(ClosedCode, "%q rejected this request; nothing may run under it", d.Person)
		}
		if r == nil {
			r = inTime(g.Envelope, d)
		}
		if r == nil {
			r = mayDecide(g.Envelope.Rule, d)
		}
		if r == nil {
			r = onceOnly(g.Envelope.Rule, counted, d)
		}
		if r != nil {
			return r
		}
		counted = append(counted, d)
	}
	if !Quorum(g.Envelope.Rule, counted) {
		filled, total := Seats(g.Envelope.Rule, counted)
		return refuse(NoQuorum, "%d of %d seats are filled; it takes %s", filled, total, g.Envelope.Rule.Who())
	}
	return nil
}

// timely bounds QuorumAt by what signatures prove (no earlier than the last decision, before expiry, not ahead of
// the clock), then bounds the call by it.
func (g Grant) timely(c CallCheck) *Refusal {
	e := g.Envelope
	use, complete := span(e.UseWithin), span(e.Complete)
	if use <= 0 || complete <= 0 || complete > MaxComplete {
		return refuse(BadEnvelope, "the request must say within how many seconds it is used, and completed (at most %s)", MaxComplete)
	}
	for _, d := range g.Decisions {
		if g.QuorumAt.Before(d.At) {
			return refuse(TooEarly, "the quorum is dated %s, before the decision of %q at %s", stamp(g.QuorumAt), d.Person, stamp(d.At))
		}
	}
	switch {
	case g.QuorumAt.After(c.Now):
		return refuse(TooEarly, "the quorum is dated %s, ahead of the clock (%s)", stamp(g.QuorumAt), stamp(c.Now))
	case !g.QuorumAt.Before(e.Expires):
		return refuse(ExpiredCode, "the quorum is dated %s, but the request expired at %s", stamp(g.QuorumAt), stamp(e.Expires))
	}
	first := c.Started
	if first.IsZero() {
		first = c.Now
	}
	switch {
	case first.Before(g.QuorumAt), first.After(c.Now):
		return refuse(TooEarly, "the first call is dated %s, outside of the time from quorum (%s) to now (%s)", stamp(first), stamp(g.QuorumAt), stamp(c.Now))
	case first.Sub(g.QuorumAt) > use:
		return refuse(LapsedCode, "the approval of %s had to be used within %s; ask anew", stamp(g.QuorumAt), use)
	case c.Now.Sub(first) > complete:
		return refuse(LapsedCode, "the calls had to be complete within %s of the first one at %s; ask anew for what remains", complete, stamp(first))
	}
	return nil
}

// span turns seconds into a duration without overflowing.
func span(s Seconds) time.Duration {
	if s > Seconds(math.MaxInt64/int64(time.Second)) {
		return math.MaxInt64
	}
	return time.Duration(max(s, 0)) * time.Second
}

func (g Grant) here(c CallCheck) *Refusal {
	e := g.Envelope
	if e.World != incident.WorldProduction && e.World != incident.WorldDrill {
		return refuse(BadEnvelope, "the request belongs to the world %q; it must be %q or %q", e.World, incident.WorldProduction, incident.WorldDrill)
	}
	for _, p := range [...]struct{ what, approved, is string }{
		{"world", e.World, c.World},
		{"installation", e.Installation, c.Installation},
		{"run", e.Run, c.Run},
		{"workflow", e.WorkflowID, c.WorkflowID},
	} {
		if p.approved == "" || p.approved != p.is {
			return refuse(WrongPlace, "people approved this for the %s %q, but the call comes from %q", p.what, p.approved, p.is)
		}
	}
	return nil
}

// planned finds the call that people saw under this step, and which steps come before it.
func planned(calls []PlannedCall, c CallCheck) (PlannedCall, map[string]bool, *Refusal) {
	found, before := -1, map[string]bool{}
	for i, p := range calls {
		switch {
		case p.Step != c.Step && found < 0:
			before[p.Step] = true
		case p.Step == c.Step && found >= 0:
			return PlannedCall{}, nil, refuse(BadEnvelope, "the request plans the step %q twice", c.Step)
		case p.Step == c.Step:
			found = i
		}
	}
	if found < 0 || c.Step == "" {
		return PlannedCall{}, nil, refuse(NotPlanned, "people approved no call for the step %q", c.Step)
	}
	p := calls[found]
	for _, f := range [...]struct{ what, approved, is string }{
		{"action", p.Action, c.Action}, {"card", p.CardHash, c.CardHash}, {"effect", p.Effect, c.Effect},
	} {
		if f.approved == "" || f.approved != f.is {
			return PlannedCall{}, nil, refuse(NotPlanned, "for the step %q people approved the %s %q, not %q", c.Step, f.what, f.approved, f.is)
		}
	}
	return p, before, nil
}

func sameTarget(p PlannedCall, c CallCheck) *Refusal {
	if p.Effect == EffectFinal && p.Target == "" {
		return refuse(BadEnvelope, "the final call of the step %q names no target", p.Step)
	}
	if p.Target != c.Target {
		return refuse(TargetDiffers, "for the step %q people approved the target %q, not %q", p.Step, p.Target, c.Target)
	}
	if fields := differ(p.State, c.State); len(fields) > 0 {
		return refuse(Drifted, "%q changed since people saw it, in %s; ask anew", p.Target, strings.Join(fields, ", "))
	}
	return nil
}
