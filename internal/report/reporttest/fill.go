package reporttest

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/seal"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
)

// Hostile is what the attacker would like to be shown as more than text.
const Hostile = "Key spent in shop <script>alert(1)</script> [click](https://evil.example) \u202egnp.exe\u202c zero\u200bwidth @everyone `tick | pipe"

// Names of what Fill makes.
const (
	Incident = "inc-7f3a"
	RunID    = "run-7f3a-1"
	Open     = "so-open"     // waits for two of secops
	Approved = "so-approved" // approved and executed
	Question = "q-run-7f3a-1-1"
)

// Start is when the alert of the run was received.
func Start() time.Time { return time.Date(2026, 11, 23, 9, 14, 3, 0, time.UTC) }

// DB opens an empty database in the test's own folder.
func DB(t *testing.T) *database.DB {
	t.Helper()
	db, err := database.Open(t.Context(), filepath.Join(t.TempDir(), "t.db"), Box(t))
	check(t, err)
	t.Cleanup(func() { _ = db.Close() }) // the folder goes anyway
	return db
}

// Box seals with a ring made for this test.
func Box(t *testing.T) *seal.Box {
	t.Helper()
	ring, err := seal.LoadOrCreate(filepath.Join(t.TempDir(), "ring.json"), rand.Reader)
	check(t, err)
	return ring.Box()
}

// Fill writes the run down and returns the open request.
func Fill(t *testing.T, db *database.DB) signoff.View {
	t.Helper()
	f := filler{t, t.Context(), db}
	stored, err := db.StoreAlert(f.ctx, incident.Finding{Body: []byte(`{"title":"…"}`), DigestStored: digest("finding")}, incident.Alert{
		ID: "al-01", Source: "github-secret-scanning", Trust: incident.TrustAct, Kind: incident.KindKeyLeaked, Severity: "critical", Title: Hostile,
		Fingerprint: "fp", ObservedAt: Start().Add(-40 * time.Second), ReceivedAt: Start(), FindingDigest: digest("finding"),
	}, nil)
	check(t, err)
	check(t, db.SetFate(f.ctx, "al-01", incident.FateStarted, "matched playbook llmjacking", RunID))
	key := incident.Key{Provider: "gemini", Account: "acme-prod", Project: "acme-shop", ID: "keys/4c1f", Name: "shop <b>backend</b>", Hint: "AIza…9xQ2", Owner: "dana",
		Dependents: []incident.Dependent{{ID: "acme/shop:GEMINI_API_KEY", Kind: "github_actions_secret"}}}
	check(t, db.PutRun(f.ctx, incident.Run{
		ID: RunID, Incident: stored.IncidentID, Number: 1, Playbook: "llmjacking", Digest: digest(Playbook), Source: Playbook, Mode: incident.ModeEnforce,
		World: incident.WorldDrill, AlertID: "al-01", Trust: incident.TrustAct, Key: &key, State: "waiting", StartedAt: Start().Add(300 * time.Millisecond),
	}))
	f.steps()
	f.signoffs()
	check(t, db.PutQuestion(f.ctx, database.Question{ID: Question, Run: RunID, Step: "triage", Kind: database.QuestionAsk, From: "secops",
		Prompt: "48210 calls, 1874.22 USD, 3 new addresses.\nAbuse, or a load test somebody forgot?", Choices: []string{"abuse", "legitimate"}, Otherwise: "abuse", Expires: Start().Add(30 * time.Minute)}))
	f.log("w000002", "question.asked", "system", "triage", 9*time.Second, map[string]any{"question": Question})
	check(t, db.RecordAttempt(f.ctx, database.Attempt{Request: Question, Person: "priya", Verb: "answer", Surface: "slack", Accepted: true, At: Start().Add(3 * time.Minute)}))
	_, _, err = db.AnswerQuestion(f.ctx, Question, "abuse", "priya", Start().Add(3*time.Minute))
	check(t, err)
	f.log("review/1", "review.lesson", "priya", "", 3*time.Hour, map[string]any{"kind": "lesson", "text": "=cmd|'/c calc'!A0 | keys in client code <b>leak</b>"})
	f.log("review/2", "review.next_step", "priya", "", 3*time.Hour, map[string]any{"kind": "next_step", "text": "move the key to the server", "owner": "dana", "due": "2026-12-01"})
	f.log("w000003", "question.settled", "system", "triage", 3*time.Minute, map[string]any{"question": Question, "answer": "abuse", "by": "priya"})
	view, err := db.Request(f.ctx, Open)
	check(t, err)
	return view
}

// Playbook is the source that the run carries.
const Playbook = "schema: tourniquet/v1\nid: llmjacking\ntitle: A stolen AI API key is being spent\nsteps:\n  - id: contain\n    uses: key.contain\n  # </pre><script>alert(2)</script>\n"

type filler struct {
	t   *testing.T
	ctx context.Context
	db  *database.DB
}

func (f filler) log(id, kind, actor, step string, after time.Duration, body map[string]any) {
	check(f.t, f.db.Append(f.ctx, RunID, database.Entry{ID: id, Kind: kind, Actor: actor, Step: step, At: Start().Add(after), Body: body}))
}

func (f filler) steps() {
	f.log("w000001", "run.started", "system", "", 300*time.Millisecond, map[string]any{"playbook": "llmjacking", "mode": "enforce", "digest": digest(Playbook)})
	for i, s := range []struct {
		path, title, action, effect, status, fault string
		from, to                                   time.Duration
		out                                        map[string]any
	}{
		{"identify", "Which key is it?", "key.identify", "observe", "done", "", 400 * time.Millisecond, 900 * time.Millisecond, map[string]any{"summary": "AIza…9xQ2 is shop <b>backend</b>"}},
		{"first_minute/contain", "The strongest measure that this provider can undo", "key.contain", "undoable", "done", "", time.Second, 4200 * time.Millisecond,
			map[string]any{"summary": "the key accepts no address any more", "measure": "address restriction", "reach": "key", "contained_at": Start().Add(3900 * time.Millisecond).Format(time.RFC3339Nano)}},
		{"first_minute/usage", "Snapshot usage and audit records", "usage.snapshot", "observe", "done", "", time.Second, 8 * time.Second,
			map[string]any{"requests": 48210, "cost_usd": 1874.22, "cost_basis": "estimated from the list price of 2026-11-01", "new_addresses": []string{"198.51.100.7"}, "models": []string{"gemini-2.5-pro"}, "agents": []string{`=HYPERLINK("https://evil.example","x") | </svg><script>`}, "probing": 3,
				"abuse_requests": 48000, "abuse_usd": 1868.4, "curve": Curve(), "first_abuse": Start().Add(-71 * time.Minute).Format(time.RFC3339)}},
		{"first_minute/intruder", "What else did they create or change?", "persistence.scan", "observe", "failed", "audit log of acme-shop: 403, the role lacks logging.privateLogEntries.list \u202etxt", time.Second, 6 * time.Second, nil},
		{"replace/rotate[0]/hand_over", "Give acme/shop its new key", "dependent.update", "final", "done", "", 21 * time.Minute, 21*time.Minute + 3*time.Second, map[string]any{"summary": "GEMINI_API_KEY of acme/shop written"}},
	} {
		out, err := json.Marshal(s.out)
		check(f.t, err)
		check(f.t, f.db.PutStep(f.ctx, database.StepRow{Run: RunID, Path: s.path, Title: s.title, Action: s.action, Effect: s.effect, Status: s.status, Inputs: json.RawMessage(`{"key":{"id":"keys/4c1f"},"dependent":{"id":"acme/shop:GEMINI_API_KEY"}}`),
			Outputs: out, Error: s.fault, Attempt: 1, StartedAt: Start().Add(s.from), FinishedAt: Start().Add(s.to)}))
		f.log(fmt.Sprintf("step/%d", i), "step."+s.status, "system", s.path, s.to, map[string]any{"action": s.action, "effect": s.effect, "summary": s.out["summary"], "error": s.fault})
	}
	check(f.t, f.db.PutUndo(f.ctx, database.UndoRow{Run: RunID, Step: "first_minute/contain", Action: "key.restore", Target: "gemini:acme-prod:keys/4c1f", Before: json.RawMessage(`{"restrictions":"none"}`), At: Start().Add(time.Second)}))
	check(f.t, f.db.SetUndoLeft(f.ctx, RunID, "first_minute/contain", "", map[string]string{"restrictions": "address 192.0.2.1 only"}))
	check(f.t, f.db.PutUndo(f.ctx, database.UndoRow{Run: RunID, Step: "replace/fresh", Action: "key.discard", Target: "a new key like gemini:acme-prod:keys/4c1f", At: Start().Add(21 * time.Minute)}))
	check(f.t, f.db.SetUndoLeft(f.ctx, RunID, "replace/fresh", "gemini:acme-prod:keys/77ab (AIza…7bN1)", map[string]string{"id": "keys/77ab"}))
	check(f.t, f.db.SetUndoUse(f.ctx, RunID, "replace/fresh", "github_actions_secret acme/shop:GEMINI_API_KEY", true))
}

func (f filler) signoffs() {
	done := f.view(Approved, "Give every dependent a new key", "1874.22 USD spent; dependents still hold the stolen key", 4*time.Minute, signoff.PlannedCall{
		Step: "replace/rotate[0]/hand_over", Action: "dependent.update", Effect: signoff.EffectFinal, Inputs: map[string]any{"dependent": "acme/shop:GEMINI_API_KEY"}, Target: "acme/shop:GEMINI_API_KEY",
		State: map[string]string{"updated_at": "2026-03-02T10:11:12Z"}, Reach: "key"}, signoff.Change{Target: "acme/shop:GEMINI_API_KEY", Before: "the stolen key", After: "the new key AIza…m3Kd"})
	done.State, done.Filled = signoff.StateDone, 2
	done.Decided = []signoff.Decision{f.decision(done, "priya", "Priya Raman", signoff.Approve, "", 12*time.Minute), f.decision(done, "marek", "Marek Nowak", signoff.Approve, "checked with the shop team", 20*time.Minute)}
	check(f.t, f.db.PutRequest(f.ctx, done))
	f.log("w000010", "signoff.asked", "system", "replace", 4*time.Minute, map[string]any{"request": Approved, "digest": done.Digest})
	f.attempt(done, "sam", "approve", "slack", signoff.NotEligible, "\"sam\" has no seat in this request; 2 of secops may decide", nil, 9*time.Minute)
	f.attempt(done, "priya", "approve", "slack", "", "", &done.Decided[0], 12*time.Minute)
	f.attempt(done, "priya", "approve", "cli", signoff.AlreadyCounted, "the answer of \"priya\" is counted already; one person fills one seat", nil, 13*time.Minute)
	f.attempt(done, "dana", "approve", "console", signoff.ExcludedCode, "\"dana\" may not decide this request, having a part in it", nil, 15*time.Minute)
	f.attempt(done, "marek", "approve", "console", "", "", &done.Decided[1], 20*time.Minute)
	p := done.Envelope.Calls[0]
	hash, err := signoff.HashJSON("tourniquet/inputs/v1", p.Inputs)
	check(f.t, err)
	_, _, err = f.db.BeginCall(f.ctx, database.CallRow{ID: "call-1", Run: RunID, Request: Approved, Step: p.Step, Action: p.Action, Target: p.Target, Digest: hash, StartedAt: Start().Add(21 * time.Minute)})
	check(f.t, err)
	check(f.t, f.db.FinishCall(f.ctx, "call-1", database.CallDone, json.RawMessage(`{"outputs":{},"summary":"GEMINI_API_KEY of acme/shop written"}`)))
	open := f.view(Open, "Delete the stolen key for good", "Contained and replaced; the stolen key has no use left", 22*time.Minute, signoff.PlannedCall{
		Step: "revoke", Action: "key.revoke", Effect: signoff.EffectFinal, Inputs: map[string]any{"key": map[string]any{"id": "keys/4c1f", "name": "shop <b>backend</b>"}}, Target: "gemini:acme-prod:keys/4c1f",
		State: map[string]string{"restrictions": "address 192.0.2.1 only", "state": "enabled"}, Reach: "key"},
		signoff.Change{Target: "gemini:acme-prod:keys/4c1f", Before: "the key exists and accepts one address", After: "the key is deleted; Google keeps it restorable for 30 days"})
	open.Filled = 1
	open.Decided = []signoff.Decision{f.decision(open, "priya", "Priya Raman", signoff.Approve, "", 25*time.Minute)}
	check(f.t, f.db.PutRequest(f.ctx, open))
	f.log("w000011", "signoff.asked", "system", "revoke", 22*time.Minute, map[string]any{"request": Open, "digest": open.Digest})
	f.attempt(open, "priya", "approve", "slack", "", "", &open.Decided[0], 25*time.Minute)
	check(f.t, f.db.PutEvidence(f.ctx, incident.Evidence{ID: "ev-1", Run: RunID, Step: "first_minute/usage", Name: "monitoring-timeseries.json", Source: "gemini", Digest: Blob, Size: 12, At: Start().Add(8 * time.Second)}))
}

// Curve is the burn curve of the run, with a line that nobody can read.
func Curve() (out []string) {
	for i, usd := range []float64{.02, .01, .02, 0, 410.2, 702.7, 755.5} {
		out = append(out, fmt.Sprintf("%s %d %.2f", Start().Truncate(15*time.Minute).Add(time.Duration(i-6)*15*time.Minute).Format(time.RFC3339), int(usd*25), usd))
	}
	return append(out, "<script>alert(3)</script> 1 NaN")
}

// Blob is the digest of the run's one piece of evidence, whose bytes are BlobBody.
var Blob = digest(BlobBody)

// BlobBody lies in no store by itself.
const BlobBody = `{"calls":48}`

func (f filler) view(id, title, why string, after time.Duration, call signoff.PlannedCall, change signoff.Change) signoff.View {
	v := signoff.View{Request: id, Title: title, Why: why, Changes: []signoff.Change{change}, Spent: "1874.22 USD since 08:13 UTC, estimated from the list price of 2026-11-01", Waiting: "about 0.00 USD an hour at the rate of the last five minutes",
		Who: "2 of secops", WhoNot: "dana (owner of the key)", Otherwise: "nothing of this is done and the run stops", Place: "step 7 of 9", State: signoff.StateOpen, Seats: 2, Impact: []string{"1 dependent uses this key", "4 of 5 dependents healthy, 1 skipped"}}
	call.CardHash = digest(call.Action)
	v.Envelope = signoff.Envelope{World: incident.WorldDrill, Installation: "inst-1", Incident: Incident, WorkflowID: Incident, Run: RunID, Step: call.Step, Attempt: 1, Nonce: "00112233445566778899aabbccddeeff", Playbook: "llmjacking",
		PlaybookHash: digest(Playbook), Calls: []signoff.PlannedCall{call}, Evidence: []string{Blob}, Rule: signoff.Rule{Seats: []signoff.Seat{{Group: "secops", Count: 2}}, Excluded: []string{"dana"}}, PolicyHash: digest("policy"),
		Issued: Start().Add(after), Expires: Start().Add(after + 4*time.Hour), UseWithin: 600, Complete: 300, PublicKeys: map[string]string{}}
	var err error
	v.Digest, err = signoff.Digest(v.Envelope)
	check(f.t, err)
	v.Code = signoff.CheckCode(v.Digest)
	return v
}

func (f filler) decision(v signoff.View, id, name, verb, reason string, after time.Duration) signoff.Decision {
	at := Start().Add(after)
	return signoff.Decision{Request: v.Request, Digest: v.Digest, Person: id, Name: name, Verb: verb, Reason: reason, Groups: []string{"secops"}, SeenAt: at.Add(-time.Second), At: at, Surface: "slack", KeyID: "k1"}
}

func (f filler) attempt(v signoff.View, person, verb, surface, code, why string, d *signoff.Decision, after time.Duration) {
	a := database.Attempt{Request: v.Request, Person: person, Verb: verb, Surface: surface, Accepted: code == "", Code: code, Why: why, At: Start().Add(after)}
	if d != nil {
		raw, err := json.Marshal(d)
		check(f.t, err)
		a.Decision = raw
	}
	check(f.t, f.db.RecordAttempt(f.ctx, a))
}

func digest(s string) string {
	sum := sha256.Sum256([]byte(s))
	return "sha256:" + hex.EncodeToString(sum[:])
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
