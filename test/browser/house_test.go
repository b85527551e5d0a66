package browser

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tourniquet-ir/tourniquet/activities"
	"github.com/tourniquet-ir/tourniquet/internal/console"
	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/history"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/people"
	"github.com/tourniquet-ir/tourniquet/internal/report"
	"github.com/tourniquet-ir/tourniquet/internal/report/reporttest"
	"github.com/tourniquet-ir/tourniquet/internal/sandbox"
	"github.com/tourniquet-ir/tourniquet/internal/signin"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
	"github.com/tourniquet-ir/tourniquet/playbooks"
)

// house is a console over real records, with a sign-on service of the sandbox in front of it.
type house struct {
	t      *testing.T
	db     *database.DB
	open   signoff.View
	url    string
	tokens map[string]string // by person
}

// now is the moment at which the pages are looked at: a sign-off of the run waits.
func now() time.Time { return reporttest.Start().Add(40 * time.Minute) }

func newHouse(t *testing.T) *house {
	t.Helper()
	h := &house{t: t, db: reporttest.DB(t), tokens: map[string]string{}}
	h.open = reporttest.Fill(t, h.db)
	persons := map[string]incident.Person{}
	for _, p := range []incident.Person{
		{ID: "marek", Name: "Marek Nowak", Roles: []string{people.Responder, people.Operator}}, {ID: "ana", Name: "Ana Reyes", Subject: "00u-ana"}, {ID: "vic", Name: "Vic Okoro", Subject: "00u-vic", Roles: []string{people.Viewer}},
	} {
		h.tokens[p.ID] = rand.Text()
		persons[h.tokens[p.ID]] = p
	}
	service := &signOn{}
	c, err := console.New(console.Options{
		DB: h.db, Desk: &desk{db: h.db, persons: persons}, World: incident.WorldDrill, Now: now, SignOn: service, Version: "v0.0.0-test",
		Known: func(string) bool { return true },
		Report: console.Report{Bundle: func(_ context.Context, _ report.Access, w io.Writer) error {
			_, err := io.WriteString(w, "PK")
			return err
		}},
		Explain: func(a incident.Alert) []playbooks.Explained {
			return playbooks.ExplainAll(shipped(t), a.Env(), a.NamesKey(), now())
		},
		Library: library(t),
	})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(c.Handler())
	t.Cleanup(server.CloseClientConnections) // pages that watch hold theirs open
	h.url = server.URL
	sso := sandbox.NewOIDC(server.URL + console.SignOnBack)
	front := httptest.NewServer(sso.Handler())
	t.Cleanup(front.Close)
	sso.Issuer = front.URL
	service.persons = persons
	service.Provider, err = signin.New(signin.Options{Name: "Example SSO", Issuer: front.URL, ClientID: sso.ClientID, ClientSecret: sso.ClientSecret, RedirectURL: server.URL + console.SignOnBack,
		Box: reporttest.Box(t), SeenBefore: h.db.SeenBefore})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// signOn maps subjects to the persons of the house.
type signOn struct {
	*signin.Provider
	persons map[string]incident.Person
}

func (s *signOn) Finish(ctx context.Context, answer url.Values, browser string) (incident.Person, string, error) {
	who, next, err := s.Provider.Finish(ctx, answer, browser)
	if err != nil {
		return incident.Person{}, "", err
	}
	for _, p := range s.persons {
		if p.Subject == who.Subject {
			return p, next, nil
		}
	}
	return incident.Person{}, "", fmt.Errorf("you are not listed here")
}

// shipped are the playbooks that the binary carries.
func shipped(t *testing.T) []*playbooks.Program {
	t.Helper()
	all, err := compileOnce()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

var compileOnce = sync.OnceValues(func() ([]*playbooks.Program, error) {
	w := playbooks.World{Actions: activities.Catalog(), Groups: map[string]int{"secops": 3, "secops_lead": 1}, Playbooks: map[string][]byte{}}
	names, err := fs.Glob(playbooks.Library, "library/*.yaml")
	if err != nil {
		return nil, err
	}
	var out []*playbooks.Program
	for _, name := range names {
		if strings.HasSuffix(name, "_test.yaml") {
			continue
		}
		source, err := playbooks.Library.ReadFile(name)
		if err != nil {
			return nil, err
		}
		p, faults := playbooks.Compile(name, source, w)
		if p == nil {
			return nil, fmt.Errorf("%s: %v", name, faults)
		}
		out = append(out, p)
	}
	return out, nil
})

func library(t *testing.T) console.Library {
	t.Helper()
	var cards []console.ActionCard
	for _, a := range activities.All() {
		cards = append(cards, console.ActionCard{Card: a.Card, With: []console.Ability{{Who: "gemini", Can: true, Reach: "key", What: "what the provider does there", Undo: "how it is taken back"}, {Who: "openai", Why: "there is no such switch"}}})
	}
	find := func(id string) *playbooks.Program {
		for _, p := range shipped(t) {
			if p.ID == id {
				return p
			}
		}
		return nil
	}
	return console.Library{
		Books:   func() console.Books { return console.Books{Programs: shipped(t)} },
		Compile: func(id, _ string) (*playbooks.Program, bool) { p := find(id); return p, p != nil },
		Tested: func(_ context.Context, p *playbooks.Program) (console.Tested, bool) {
			return console.Tested{At: now().Add(-time.Hour), Digest: p.Digest, Passed: 9, Coverage: 100}, true
		},
		Policy: signoff.DefaultPolicy(), Actions: cards,
		Keys: func(context.Context) ([]console.KnownKey, error) {
			return []console.KnownKey{{Provider: "gemini", Account: "acme-prod", ID: "keys/4c1f", Owner: "dana", Critical: true, Watched: true, Now: "$0.21", Usual: "$0.25", Seen: now().Add(-time.Minute),
				Dependents: []incident.Dependent{{ID: "acme/shop:GEMINI_API_KEY", Kind: "github_actions_secret"}}}}, nil
		},
		Setup: func(context.Context) (console.Setup, error) {
			return console.Setup{Mode: "enforce", Version: "v0.0.0-test", Persons: []incident.Person{{ID: "marek", Name: "Marek Nowak", Roles: []string{people.Operator}}},
				Groups: []console.GroupRow{{Name: "secops", Members: []string{"marek", "ana"}}}, Sources: []console.SourceRow{{Name: "github", Trust: "act", Proof: "signature"}}, Policy: "policy:\n  responders: secops\n"}, nil
		},
		History: func(_ context.Context, r incident.Run) (history.History, error) {
			return history.History{WorkflowID: r.WorkflowID(), Events: []history.Event{
				{ID: 1, Type: "WorkflowExecutionStarted", Time: reporttest.Start(), Summary: "Respond", Payloads: map[string]any{"input[0]": json.RawMessage(`{"run":{"id":"run-7f3a-1"}}`)}},
				{ID: 5, Type: "MarkerRecorded", Time: reporttest.Start().Add(time.Second), Summary: "LocalActivity key.identify", Action: "key.identify"},
				{ID: 6, Type: "ActivityTaskScheduled", Time: reporttest.Start().Add(2 * time.Second), Step: "first_minute/usage", Summary: "first_minute/usage usage.snapshot", Payloads: map[string]any{"input[0]": json.RawMessage(`{"step":"first_minute/usage"}`)}},
			}}, nil
		},
	}
}

// desk takes what carries the right digest, and writes it down as the gateway does.
type desk struct {
	db      *database.DB
	mu      sync.Mutex
	persons map[string]incident.Person // by token
}

func (d *desk) Person(_ context.Context, token string) (incident.Person, string, string) {
	p := d.persons[token]
	return p, p.ID, ""
}

func (d *desk) Still(_ context.Context, s database.Session) (incident.Person, bool, error) {
	for _, p := range d.persons {
		if p.ID == s.Person {
			return p, true, nil
		}
	}
	return incident.Person{}, false, nil
}

func (d *desk) Seal(context.Context, string, string, string, []byte) (string, bool, string) {
	return "The key is sealed.", true, ""
}

func (d *desk) Decide(ctx context.Context, a console.Act) (string, bool, string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	v, err := d.db.Request(ctx, a.Request)
	if err != nil {
		return "there is no such request", false, "not_found"
	}
	try := database.Attempt{Request: a.Request, Person: a.Person, Verb: a.Verb, Surface: a.Surface, Accepted: a.Digest == v.Digest, At: now()}
	if !try.Accepted {
		try.Code, try.Why = signoff.StaleDigest, "the check code is that of other calls"
	}
	if err := d.db.RecordAttempt(ctx, try); err != nil {
		return err.Error(), false, "records"
	}
	if !try.Accepted {
		return try.Why, false, try.Code
	}
	err = d.db.SetRequest(ctx, a.Request, func(v *signoff.View) error {
		v.Filled++
		v.Decided = append(v.Decided, signoff.Decision{Request: a.Request, Digest: v.Digest, Person: a.Person, Name: a.Person, Verb: a.Verb, At: now(), Surface: a.Surface})
		if v.Filled >= v.Seats {
			v.State = signoff.StateQuorum
		}
		return nil
	})
	if err != nil {
		return err.Error(), false, "records"
	}
	return "Your approval counts. What you signed will run now.", true, ""
}
