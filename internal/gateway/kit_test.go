package gateway_test

import (
	"context"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"go.temporal.io/sdk/client"

	"github.com/tourniquet-ir/tourniquet/integrations/chat"
	"github.com/tourniquet-ir/tourniquet/internal/cards"
	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/gateway"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/people"
	"github.com/tourniquet-ir/tourniquet/internal/seal"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
	"github.com/tourniquet-ir/tourniquet/internal/wire"
)

var noon = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

// runs stands in for the workflow engine: it fails as often as it is told, then gives the reply.
type runs struct {
	client.Client
	mu    sync.Mutex
	fails []error
	reply wire.Reply
	seen  func()
	got   []client.UpdateWorkflowOptions
}

func (r *runs) UpdateWorkflow(_ context.Context, o client.UpdateWorkflowOptions) (client.WorkflowUpdateHandle, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.got = append(r.got, o)
	if r.seen != nil {
		r.seen()
	}
	if len(r.fails) > 0 {
		err := r.fails[0]
		r.fails = r.fails[1:]
		return nil, err
	}
	return handle{reply: r.reply}, nil
}

func (r *runs) offers() []client.UpdateWorkflowOptions {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]client.UpdateWorkflowOptions(nil), r.got...)
}

type handle struct {
	client.WorkflowUpdateHandle
	reply wire.Reply
}

func (h handle) Get(_ context.Context, into any) error {
	*into.(*wire.Reply) = h.reply
	return nil
}

// slack knows one user group and why some users may not decide.
type slack struct {
	chat.Chat
	members []string
	not     map[string]string
	settled chan chat.Delivery
	told    chan chat.Note
}

func (s *slack) Tell(_ context.Context, n chat.Note) (chat.Delivery, error) {
	s.told <- n
	return chat.Delivery{}, nil
}

func (s *slack) Members(context.Context, string) ([]string, error) { return s.members, nil }

func (s *slack) Eligible(_ context.Context, user string) (string, error) { return s.not[user], nil }

func (s *slack) Settle(_ context.Context, d chat.Delivery, _ signoff.View) (chat.Delivery, error) {
	s.settled <- d
	return d, nil
}

func (s *slack) History(context.Context, chat.Delivery, signoff.View) error { return nil }

// room is one gateway with everything around it.
type room struct {
	*gateway.Gateway
	db    *database.DB
	runs  *runs
	slack *slack
	view  signoff.View
	path  string
}

var shown = chat.Delivery{Channel: "C1", TS: "1.1"}

// newRoom has one open request of two seats: one of secops, and the key's owner. sam started the run.
func newRoom(t *testing.T) room {
	t.Helper()
	ctx, dir := context.Background(), t.TempDir()
	ring := got[*seal.Ring](t)(seal.LoadOrCreate(filepath.Join(dir, "ring"), nil))
	signer := got[*seal.Signer](t)(seal.LoadOrCreateSigner(filepath.Join(dir, "signer")))
	db := got[*database.DB](t)(database.Open(ctx, filepath.Join(dir, "db"), ring.Box()))
	s := &slack{members: []string{"UANN", "USAM", "UBOT", "UGONE", "UGUEST"}, settled: make(chan chat.Delivery, 100), told: make(chan chat.Note, 100), not: map[string]string{
		"UBOT": "is a bot", "UGONE": "is deleted", "UGUEST": "is a guest"}}
	var persons []incident.Person
	for _, p := range [][2]string{{"ann", "UANN"}, {"sam", "USAM"}, {"olga", "UOLGA"}, {"bot", "UBOT"}, {"gone", "UGONE"}, {"guest", "UGUEST"}} {
		persons = append(persons, incident.Person{ID: p[0], Name: p[0] + " of Acme", Slack: p[1]})
	}
	now := func() time.Time { return noon.Add(time.Minute) }
	dir2 := got[*people.Directory](t)(people.New(persons, map[string]people.Group{"secops": {SlackUsergroup: "S1"}}, s, now))
	e := signoff.Envelope{
		World: "production", Installation: "acme", Incident: "inc-1", WorkflowID: "inc-1", Run: "run-1", Step: "revoke", Attempt: 1, Nonce: "n",
		Calls:  []signoff.PlannedCall{{Step: "revoke", Action: "key.revoke", Effect: signoff.EffectFinal, Target: "gemini:main:k"}},
		Rule:   signoff.Rule{Seats: []signoff.Seat{{Group: "secops", Count: 1}, {Named: "key_owner", Person: "olga", Else: "secops", Count: 1}}, Excluded: []string{"sam"}},
		Issued: noon, Expires: noon.Add(time.Hour), UseWithin: 600, Complete: 600, PublicKeys: signer.PublicKeys(),
	}
	v := signoff.View{Request: "req-1", Envelope: e, Digest: got[string](t)(signoff.Digest(e)), State: signoff.StateOpen, Seats: 2}
	must(t, db.PutRequest(ctx, v))
	must(t, db.PutRun(ctx, incident.Run{ID: "run-1", Incident: "inc-1", Number: 1, State: "running", World: "production"}))
	must(t, db.AddDelivery(ctx, "req-1", shown.Channel, shown.TS, "slack"))
	must(t, db.PutQuestion(ctx, database.Question{ID: "q-1", Run: "run-1", From: "secops", Prompt: "Abuse?", Choices: []string{"yes", "no"}}))
	r := &runs{reply: wire.Reply{Accepted: true, State: signoff.StateOpen, Filled: 1, Seats: 2}}
	g := gateway.New(gateway.Options{DB: db, People: dir2, Signer: signer, Temporal: r, World: "production",
		Chat: s, Cards: cards.New(db, s, slog.New(slog.DiscardHandler)), Log: slog.New(slog.DiscardHandler), Now: now})
	t.Cleanup(func() {
		g.Close()
		must(t, db.Close())
	})
	return room{Gateway: g, db: db, runs: r, slack: s, view: v, path: filepath.Join(dir, "db")}
}

func (r room) approve(person, surface string) gateway.Act {
	return gateway.Act{Person: person, Surface: surface, Request: "req-1", Verb: signoff.Approve, Digest: r.view.Digest}
}

// attempts are the entries of the ledger, not only the rows beside it.
func (r room) attempts(t *testing.T, request string) []database.Attempt {
	t.Helper()
	ctx := context.Background()
	tries := got[[]database.Attempt](t)(r.db.Attempts(ctx, request))
	said := map[string]bool{}
	for _, row := range got[[]database.LedgerRow](t)(r.db.Ledger(ctx, "run-1")) {
		if row.Kind == database.KindAttempt {
			said[row.Actor] = true
		}
	}
	for _, a := range tries {
		if !said[a.Person] {
			t.Errorf("the attempt of %q is not in the ledger", a.Person)
		}
	}
	return tries
}

func got[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		must(t, err)
		return v
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
