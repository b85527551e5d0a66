package main

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/evidence"
	"github.com/tourniquet-ir/tourniquet/internal/report"
	"github.com/tourniquet-ir/tourniquet/internal/sandbox"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
)

// dollarsAMinute is what the thief spends: 82,000 USD in 48 hours, as in the published case.
const dollarsAMinute = 82_000.0 / 48 / 60

// result is the one object that drill -o json prints.
type result struct {
	Scenario string               `json:"scenario"`
	RunID    string               `json:"run_id"`
	Outcome  string               `json:"outcome"`
	Expected string               `json:"expected"`
	Steps    []resultStep         `json:"steps"`
	Signoffs []resultSignoff      `json:"signoffs"`
	Marks    map[string]time.Time `json:"marks"`
	Seconds  map[string]float64   `json:"seconds"`
	USD      map[string]float64   `json:"usd"`
	Evidence struct {
		Bundle   string `json:"bundle"`
		Verified bool   `json:"verified"`
	} `json:"evidence"`
	SecretSHA256 string `json:"secret_sha256"`
}

type resultStep struct {
	ID         string    `json:"id"`
	Action     string    `json:"action"`
	Effect     string    `json:"effect"`
	Status     string    `json:"status"`
	StartedAt  time.Time `json:"started_at"`
	FinishedAt time.Time `json:"finished_at"`
}

type resultSignoff struct {
	ID        string                `json:"id"`
	Step      string                `json:"step"`
	State     string                `json:"state"`
	Decisions []resultDecision      `json:"decisions"`
	Digest    string                `json:"digest"`
	Calls     []signoff.PlannedCall `json:"calls"`
}

type resultDecision struct {
	By       string    `json:"by"`
	Decision string    `json:"decision"`
	At       time.Time `json:"at"`
}

// finish gathers, prints and judges the drill.
func (d *rehearsal) finish(ctx context.Context) error {
	r, err := d.gather(ctx)
	if err != nil {
		return err
	}
	if err := d.bundle(ctx, r); err != nil {
		return fmt.Errorf("the evidence bundle does not verify: %w", err)
	}
	if d.sh.JSON {
		err = writeJSON(d.sh.Out, r)
	} else {
		err = d.table(r)
	}
	if err == nil && r.Outcome != r.Expected {
		err = fmt.Errorf("the outcome is %q, %q was expected", r.Outcome, r.Expected)
	}
	return err
}

func (d *rehearsal) gather(ctx context.Context) (*result, error) {
	run, err := d.db.Run(ctx, d.run_.ID)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256([]byte(d.stage.Key.Secret()))
	r := &result{Scenario: d.scenario.Name, RunID: run.ID, Outcome: run.Outcome, Expected: d.scenario.Outcome, SecretSHA256: hex.EncodeToString(sum[:])}
	steps, err := d.db.Steps(ctx, run.ID)
	if err != nil {
		return nil, err
	}
	for _, s := range steps {
		r.Steps = append(r.Steps, resultStep{ID: s.Path, Action: s.Action, Effect: s.Effect, Status: s.Status, StartedAt: s.StartedAt, FinishedAt: s.FinishedAt})
	}
	views, err := d.db.Requests(ctx, run.ID, false)
	if err != nil {
		return nil, err
	}
	for _, v := range views {
		so := resultSignoff{ID: v.Request, Step: v.Envelope.Step, State: v.State, Digest: v.Digest, Calls: v.Envelope.Calls}
		for _, c := range v.Decided {
			so.Decisions = append(so.Decisions, resultDecision{By: c.Person, Decision: c.Verb, At: c.At})
		}
		r.Signoffs = append(r.Signoffs, so)
	}
	d.measure(r, steps, d.stage.World.Entries())
	return r, nil
}

// measure sets the marks and figures; docs/marks.md has every formula.
func (d *rehearsal) measure(r *result, steps []database.StepRow, log []sandbox.Entry) {
	m := map[string]time.Time{"alert": d.alert.UTC()}
	for _, e := range log {
		if e.Effect == sandbox.EffectAbuse {
			setOnce(m, "first_abuse", e.T)
			m["spend_stopped"] = e.T
		}
		changes := e.Effect == sandbox.EffectUndoable || e.Effect == sandbox.EffectFinal
		if changes && e.T.After(d.alert) {
			setOnce(m, "first_action", e.T)
		}
	}
	for _, s := range steps {
		switch s.Action {
		case "key.contain":
			m["contained"] = outputTime(s, "contained_at")
		case "key.revoke":
			m["revoked"] = s.FinishedAt
		case "key.probe":
			if s.Status == "done" {
				m["proven"] = s.FinishedAt
			}
		}
	}
	for _, so := range r.Signoffs {
		for _, c := range so.Decisions {
			if c.At.After(m["decided"]) {
				m["decided"] = c.At
			}
		}
	}
	r.Marks = m
	r.Seconds = map[string]float64{}
	for _, name := range []string{"first_action", "contained", "spend_stopped", "decided", "revoked", "proven"} {
		if !m[name].IsZero() {
			r.Seconds["alert_to_"+name] = m[name].Sub(m["alert"]).Seconds()
		}
	}
	r.USD = map[string]float64{"at_alert": spent(log, m["alert"]), "at_contained": spent(log, m["contained"]), "total": spent(log, time.Time{}),
		"uncontained_48h": dollarsAMinute * 60 * 48}
}

func setOnce(m map[string]time.Time, name string, at time.Time) {
	if m[name].IsZero() {
		m[name] = at
	}
}

// spent is the thief's bill up to a time; zero means all of it.
func spent(log []sandbox.Entry, until time.Time) float64 {
	total := 0.0
	for _, e := range log {
		if e.Effect == sandbox.EffectAbuse && (until.IsZero() || !e.T.After(until)) {
			total += e.USD
		}
	}
	return total
}

func outputTime(s database.StepRow, name string) time.Time {
	var out map[string]any
	if json.Unmarshal(s.Outputs, &out) != nil {
		return time.Time{}
	}
	text, _ := out[name].(string)
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return time.Time{}
	}
	return at
}

// bundle exports the run and verifies it as a third party would: with the public key alone.
func (d *rehearsal) bundle(ctx context.Context, r *result) error {
	var b bytes.Buffer
	if err := report.Bundle(ctx, d.db, d.evidence, report.Access{Run: r.RunID, Who: "system", Surface: "drill", At: time.Now()}, &b, d.signer); err != nil {
		return err
	}
	_, err := evidence.Verify(bytes.NewReader(b.Bytes()), int64(b.Len()), map[string]ed25519.PublicKey{d.signer.ID: d.signer.Public})
	sum := sha256.Sum256(b.Bytes())
	r.Evidence.Bundle, r.Evidence.Verified = "sha256:"+hex.EncodeToString(sum[:]), err == nil
	return err
}

// table is what a person reads at the end.
func (d *rehearsal) table(r *result) error {
	w := d.sh.Out
	_, err := fmt.Fprintf(w, "\n  %s: %s (expected: %s)\n\n  %-28s %10s %12s\n", r.Scenario, r.Outcome, r.Expected, "mark", "T+ alert", "spent")
	if err != nil {
		return err
	}
	for _, name := range []string{"first_abuse", "alert", "first_action", "contained", "spend_stopped", "decided", "revoked", "proven"} {
		at, ok := r.Marks[name]
		if !ok || at.IsZero() {
			_, err = fmt.Fprintf(w, "  %-28s %10s\n", name, "unknown")
		} else {
			_, err = fmt.Fprintf(w, "  %-28s %9.3fs %8.2f USD\n", name, at.Sub(r.Marks["alert"]).Seconds(), spent(d.stage.World.Entries(), at))
		}
		if err != nil {
			return err
		}
	}
	_, err = fmt.Fprintf(w, "\n  The thief got %.2f USD; 48 hours without containment would have cost %.0f USD.\n  Deleted keys go on working for %s in this sandbox (%s; see --realistic).\n  The evidence bundle %s verifies.\n",
		r.USD["total"], r.USD["uncontained_48h"], d.delay, d.scenario.Issuer.LingersWhy, r.Evidence.Bundle[:19]+"…")
	return err
}

func writeJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}
