package activities

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
	"github.com/tourniquet-ir/tourniquet/internal/wire"
	"github.com/tourniquet-ir/tourniquet/playbooks"
)

// freeze dry-runs every call, makes the envelope and stores what people will be shown. A repeat gives the stored view.
func (h *House) freeze(ctx context.Context, ask wire.Freeze) (signoff.View, error) {
	defer beat(ctx)()
	if err := h.mayAsk(ctx, ask); err != nil {
		return signoff.View{}, err
	}
	id := requestID(ask)
	if view, err := h.DB.Request(ctx, id); err == nil {
		return view, nil
	}
	run, err := h.DB.Run(ctx, ask.Run)
	if err != nil {
		return signoff.View{}, err
	}
	view := signoff.View{Request: id, Title: ask.Title, Why: ask.Why, Otherwise: ask.OtherwiseWords(), Place: ask.Place, State: signoff.StateOpen}
	effect, err := h.freezeCalls(ctx, &ask, &view)
	if err != nil {
		return signoff.View{}, wrap(err)
	}
	if err := h.freezeRule(ctx, ask, run, effect, &view); err != nil {
		return signoff.View{}, wrap(err)
	}
	if err := h.freezeEnvelope(ctx, ask, run, &view); err != nil {
		return signoff.View{}, refuse(wire.ErrPermanent, err.Error())
	}
	if view.Impact, err = h.anew(ctx, ask); err != nil {
		return signoff.View{}, err
	}
	h.impact(ctx, ask, &view)
	if err := h.DB.PutRequest(ctx, view); err != nil {
		return signoff.View{}, err
	}
	return h.DB.Request(ctx, id)
}

// freezeCalls dry-runs the calls; the answer is the strongest effect among them. A call that waits for a person's hands
// lengthens the time in which all of them must be over.
func (h *House) freezeCalls(ctx context.Context, ask *wire.Freeze, view *signoff.View) (string, error) {
	effect := signoff.EffectUndoable
	for i, p := range ask.Calls {
		a, err := h.action(p.Action)
		if err != nil {
			return "", refuse(wire.ErrPermanent, err.Error())
		}
		if err := laterTarget(a.Card, p); err != nil {
			return "", err
		}
		hash := playbooks.CardHash(a.Card)
		if p.CardHash != "" && p.CardHash != hash {
			return "", refuse(wire.ErrPermanent, fmt.Sprintf("%s has changed since this run began; start a new run", p.Action))
		}
		e, err := a.DryRun(ctx, h, In{wire.Call{Run: ask.Run, Step: p.Step, Action: p.Action, With: p.With, Alert: ask.Alert, At: ask.At}})
		if err != nil {
			return "", err
		}
		does := a.effectOn(e)
		if does == signoff.EffectFinal {
			effect = signoff.EffectFinal
		}
		ask.Complete = playbooks.Dur(min(ask.Complete.Std()+e.Hands, signoff.MaxComplete))
		view.Envelope.Calls = append(view.Envelope.Calls, signoff.PlannedCall{
			Index: i, Step: p.Step, Action: p.Action, CardHash: hash, Effect: does, Inputs: p.With,
			Target: e.Target, State: e.State, Undo: e.Undo, Reach: e.Reach, After: e.After,
		})
		view.Changes = append(view.Changes, signoff.Change{Target: e.Target, Before: e.Before, After: e.After, Undo: e.Undo})
	}
	return effect, nil
}

// freezeRule decides who decides, and refuses a quorum that the groups cannot fill.
func (h *House) freezeRule(ctx context.Context, ask wire.Freeze, run incident.Run, effect string, view *signoff.View) error {
	rule, err := h.Policy.Rule(effect, ask.Undo, ask.Seats, h.parties(ask, run))
	if err != nil {
		return refuse(wire.ErrPermanent, err.Error())
	}
	if err := h.fillable(ctx, rule); err != nil {
		return err
	}
	rule = h.Policy.Escalate(rule, ask.Adds())
	view.Next = ask.NextWords(rule)
	view.Envelope.Rule = rule
	view.Who, view.WhoNot = rule.Who(), rule.WhoNot()
	_, view.Seats = signoff.Seats(rule, nil)
	return nil
}

// fillable fails when even all members of the groups together, whoever is excluded left out, could not fill the seats.
func (h *House) fillable(ctx context.Context, rule signoff.Rule) error {
	groups := map[string][]string{} // person -> groups
	for _, s := range rule.Seats {
		for _, g := range []string{s.Group, s.Else} {
			if g == "" {
				continue
			}
			members, _, err := h.People.Members(ctx, g)
			if err != nil {
				return fmt.Errorf("the members of %q could not be read: %w", g, err)
			}
			for _, m := range members {
				groups[m] = append(groups[m], g)
			}
		}
		if s.Person != "" {
			groups[s.Person] = append(groups[s.Person], "")
		}
	}
	var all []signoff.Decision
	for _, m := range slices.Sorted(maps.Keys(groups)) {
		all = append(all, signoff.Decision{Person: m, Groups: groups[m], Verb: signoff.Approve})
	}
	if filled, seats := signoff.Seats(rule, all); filled < seats {
		return refuse(wire.ErrPermanent, fmt.Sprintf("only %d of %d seats could be filled: it takes %s, and the excluded left out there are too few people; add people to the groups",
			filled, seats, rule.Who()))
	}
	return nil
}

// freezeEnvelope binds the calls to place, time and keys.
func (h *House) freezeEnvelope(ctx context.Context, ask wire.Freeze, run incident.Run, view *signoff.View) error {
	policy, err := h.Policy.Digest()
	if err != nil {
		return err
	}
	nonce := make([]byte, 16)
	if _, err := rand.Read(nonce); err != nil {
		return err
	}
	proof, err := h.DB.EvidenceOf(ctx, ask.Run)
	if err != nil {
		return err
	}
	e := &view.Envelope
	for _, p := range proof {
		e.Evidence = append(e.Evidence, p.Digest)
	}
	within := ask.Within.Std()
	if limit := time.Duration(h.Policy.Final.Expires); limit > 0 && (within <= 0 || within > limit) {
		within = limit
	}
	issued := ask.At.UTC().Truncate(time.Microsecond)
	e.World, e.Installation, e.Incident, e.WorkflowID, e.Run = h.World, h.Installation, run.Incident, ask.WorkflowID, ask.Run
	e.Step, e.Attempt, e.Nonce = ask.Step, ask.Attempt, hex.EncodeToString(nonce)
	e.Playbook, e.PlaybookHash, e.PolicyHash, e.PublicKeys = run.Playbook, run.Digest, policy, ask.PublicKeys
	e.Issued, e.Expires = issued, issued.Add(within)
	e.UseWithin = signoff.Seconds(time.Duration(h.Policy.Final.UseWithin) / time.Second)
	e.Complete = signoff.Seconds(ask.Complete.Std() / time.Second)
	if view.Digest, err = signoff.Digest(*e); err != nil {
		return err
	}
	view.Code = signoff.CheckCode(view.Digest)
	if h.Console != "" {
		view.Link = h.Console + "/signoffs/" + view.Request
	}
	return nil
}

// Money is what a request's card says of money by now; known is false where nobody can tell.
func (h *House) Money(ctx context.Context, v signoff.View) (spent, waiting string, known bool) {
	run, err := h.DB.Run(ctx, v.Envelope.Run)
	if err != nil || run.Key == nil {
		return "", "", false
	}
	alerts, err := h.DB.AlertsOf(ctx, run.Incident)
	if err != nil {
		return "", "", false
	}
	for _, a := range alerts {
		if a.Alert.ID == run.AlertID {
			spent, waiting = h.money(ctx, *run.Key, a.Alert)
			return spent, waiting, waiting != ""
		}
	}
	return "", "", false
}

// money says what was spent since the alert and what waiting costs, and on what the figures rest.
func (h *House) money(ctx context.Context, k incident.Key, a incident.Alert) (spent, waiting string) {
	p, err := h.provider(k)
	if err != nil {
		return "unknown", ""
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	since := a.ObservedAt.Add(-time.Hour)
	u, err := p.Usage(keys.Quick(ctx), k, since, h.Now())
	if err != nil || !u.CostKnown {
		return "unknown: the provider gave no cost", ""
	}
	var last int64
	for _, row := range u.Rows {
		if h.Now().Sub(row.At) < 5*time.Minute {
			last += row.MicroUSD
		}
	}
	least := ""
	if u.Incomplete != "" {
		least = "at least "
	}
	return fmt.Sprintf("%s%s USD since %s, %s; read at %s", least, usd(u.MicroUSD), since.UTC().Format("15:04 UTC"), u.CostBasis, h.Now().UTC().Format("15:04 UTC")),
		fmt.Sprintf("waiting costs about %s USD an hour, at the rate of the last five minutes", usd(last*12))
}

func usd(micro int64) string { return fmt.Sprintf("%d.%02d", micro/1_000_000, micro%1_000_000/10_000) }

func requestID(ask wire.Freeze) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "tourniquet/request/v1\n%s\n%s\n%d", ask.Run, ask.Step, ask.Attempt))
	return "so-" + hex.EncodeToString(sum[:8])
}
