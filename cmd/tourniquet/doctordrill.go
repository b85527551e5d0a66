package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"time"

	"go.uber.org/fx"

	"github.com/tourniquet-ir/tourniquet/internal/config"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/sandbox"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
)

// What the self-drill says when it does not end as it should.
const (
	mendDrill    = "see what your playbooks do with such an alert: tourniquet playbook explain, playbook preview and playbook test"
	mendNoAnswer = "add a playbook whose trigger takes key.leaked, or leave playbooks.dir out for those that ship"
	mendWaits    = "add people or ask for fewer; escalations wait for their time here, too"
)

// drills rehearses a theft at every provider that is configured: with the operator's own playbooks, policy and people, in
// the sandbox, with generated keys in a folder that is gone afterwards. Nothing of the configuration that leads outside takes part.
func (e *examination) drills(ctx context.Context, limit time.Duration) {
	if e.members == nil {
		e.note("drill", "mend the groups first", "not rehearsed: it is not known who would decide")
		return
	}
	for name, members := range e.members {
		if len(members) == 0 {
			e.note("drill", "mend the groups first", "not rehearsed: the group %q has nobody", name)
			return
		}
	}
	if e.s.Config.Mode != incident.ModeEnforce {
		e.note("drill", "set mode: enforce when you are ready", "mode observe does nothing in earnest; rehearsed as if it were enforce")
	}
	names := e.s.Config.Providers.Names()
	if len(names) == 0 {
		names = []string{sandbox.Scenarios()[0].Issuer.Provider}
		e.note("drill", "", "no provider is configured; rehearsed with %s", names[0])
	}
	for _, provider := range names {
		all := sandbox.Scenarios()
		i := slices.IndexFunc(all, func(s sandbox.Scenario) bool { return s.Issuer.Provider == provider })
		if i < 0 {
			e.note("drill "+provider, "", "the sandbox has no theft of such a key")
			continue
		}
		_, _ = fmt.Fprintf(e.sh.Talk, "rehearsing %s in the sandbox …\n", all[i].Name)
		e.drillOne(ctx, all[i], limit)
	}
}

func (e *examination) drillOne(ctx context.Context, sc sandbox.Scenario, limit time.Duration) {
	check := "drill " + sc.Issuer.Provider
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	dir, clean, err := drillDir("")
	if err != nil {
		e.fault(check, err, "make the folder for temporary files writable")
		return
	}
	defer clean()
	stage, err := sc.Stage(sandbox.Options{RevocationDelay: time.Second})
	if err != nil {
		e.fault(check, err, "free a port on loopback")
		return
	}
	defer stage.Close()
	cfg, err := e.asOurs(stage, dir)
	if err != nil {
		e.fault(check, err, mendDrill)
		return
	}
	quiet := *e.sh
	quiet.Talk, quiet.JSON = io.Discard, false
	d := &rehearsal{sh: &quiet, scenario: sc, stage: stage, scripted: true, delay: time.Second, url: cfg.URL(), cast: e.cast(sc), makers: e.members[cfg.Policy.Responders]}
	s := settings{Config: cfg, Env: config.Places{Env: nothing}, World: incident.WorldDrill, Log: slog.New(slog.DiscardHandler)}
	if d.close, err = open(ctx, s, fx.Populate(&d.db, &d.evidence, &d.signer)); err != nil {
		e.fault(check, err, "what stops this house stops serve as well; mend what it names")
		return
	}
	stage.Connect(cfg.URL())
	d.log = s.Log
	began := time.Now()
	err = d.run(ctx)
	e.judgeDrill(context.WithoutCancel(ctx), check, d, err, time.Since(began))
	if err := d.close(); err != nil {
		e.note(check, "", "the rehearsal was not closed cleanly: %s", err)
	}
}

// judgeDrill says what came of it: who would be asked, how long it took, and whether the key would have been stopped.
func (e *examination) judgeDrill(ctx context.Context, check string, d *rehearsal, err error, took time.Duration) {
	if d.run_.ID == "" {
		e.fault(check, errors.Join(fmt.Errorf("%s: no playbook took the alert", d.scenario.Name), err), mendNoAnswer)
		return
	}
	r, gathered := d.gather(ctx)
	if gathered != nil {
		e.fault(check, errors.Join(err, gathered), mendDrill)
		return
	}
	views, gathered := d.db.Requests(ctx, d.run_.ID, false)
	said := fmt.Sprintf("%s, playbook %q: ", d.scenario.Name, d.run_.Playbook)
	if asked := askedOf(views); asked != "" {
		said += "asks " + asked + "; "
	} else {
		said += "asks nobody; "
	}
	at, stopped := r.Seconds["alert_to_contained"]
	switch {
	case d.run_.State != "done":
		e.fault(check, errors.Join(fmt.Errorf("%sit did not end within %s%s", said, took.Round(time.Second), openStep(r)), gathered), mendWaits)
	case err != nil:
		e.fault(check, fmt.Errorf("%s%w", said, err), mendDrill)
	case !stopped:
		e.fault(check, fmt.Errorf("%sthe key was never contained, the run ended as %q", said, r.Outcome), mendDrill)
	case r.Outcome != d.scenario.Outcome:
		e.fault(check, fmt.Errorf("%sthe run ended as %q, %q was expected", said, r.Outcome, d.scenario.Outcome), mendDrill)
	case waitedFor(views):
		e.note(check, "policy.undoable.auto_if says what need not wait: the trust of the source, whether the key is critical, and how far the provider's measure is felt", "%sthe key is contained only after people signed; all took %s", said, took.Round(time.Second))
	default:
		e.ok(check, "%sthe key is contained %.2f s after the alert; all took %s with people who answer at once", said, at, took.Round(time.Second))
	}
}

// askedOf names each sign-off, whom it asks and how far it came.
func askedOf(views []signoff.View) string {
	var out []string
	for _, v := range views {
		out = append(out, fmt.Sprintf("%s for %q (%d of %d seats filled)", v.Who, v.Envelope.Step, v.Filled, v.Seats))
	}
	return strings.Join(out, ", ")
}

// waitedFor reports that containing was among the calls that people signed.
func waitedFor(views []signoff.View) bool {
	for _, v := range views {
		for _, c := range v.Envelope.Calls {
			if c.Action == "key.contain" {
				return true
			}
		}
	}
	return false
}

// openStep names what was still under way.
func openStep(r *result) string {
	for _, s := range r.Steps {
		if s.FinishedAt.IsZero() {
			return fmt.Sprintf("; the step %q was %s", s.ID, s.Status)
		}
	}
	return ""
}
