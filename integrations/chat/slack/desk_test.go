package slack_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/tourniquet-ir/tourniquet/integrations/chat"
	"github.com/tourniquet-ir/tourniquet/integrations/chat/slack"
	"github.com/tourniquet-ir/tourniquet/internal/sandbox"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
)

// desk keeps every press and answers each.
type desk struct {
	mu      sync.Mutex
	presses []chat.Press
	view    signoff.View
	hold    chan struct{} // when set, presses wait for it before they are answered
}

func (d *desk) Press(_ context.Context, p chat.Press) (string, bool) {
	if d.hold != nil {
		<-d.hold
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.presses = append(d.presses, p)
	return fmt.Sprintf("Recorded: %s by %s", p.Verb, p.User), true
}

func (d *desk) View(_ context.Context, request, _ string) (signoff.View, error) {
	if request != d.view.Request {
		return signoff.View{}, fmt.Errorf("there is no request %q", request)
	}
	return d.view, nil
}

func (d *desk) Command(_ context.Context, user, text string) string { return user + " asked " + text }

func (d *desk) Shown(_ context.Context, channel string) bool { return channel == "C0SHOWN" }

func (d *desk) all() []chat.Press {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]chat.Press(nil), d.presses...)
}

// town is a sandbox workspace with the product's Slack connected to it.
type town struct {
	slack *sandbox.Slack
	world *sandbox.World
	chat  *slack.Chat
	desk  *desk
	creds sandbox.SlackCredentials
	door  string // address of the HTTP door
	api   string // address of the sandbox
	meter *tally
}

func newTown(t *testing.T, view signoff.View) *town {
	t.Helper()
	w := sandbox.NewWorld(sandbox.Options{})
	s := w.Slack()
	s.AddPerson(sandbox.SlackPerson{ID: "U0KIM", Name: "Kim Park", Title: "security"})
	s.AddPerson(sandbox.SlackPerson{ID: "U0SAM", Name: "Sam Ode", Title: "security"})
	s.SetGroup("S0SECOPS", "U0KIM", "U0SAM")
	api := httptest.NewServer(s.Handler())
	t.Cleanup(api.Close)
	creds, meter := s.Credentials(), &tally{calls: map[string]int{}, acts: map[string]int{}}
	c := slack.New(slack.Config{Token: creds.Token, AppToken: creds.AppToken, SigningSecret: creds.SigningSecret,
		BaseURL: api.URL + "/api/", Channel: creds.Channel, Teams: []string{creds.Team}, Apps: []string{creds.App},
		HTTPClient: &http.Client{Transport: newAuditor(t)}, Meter: meter})
	d := &desk{view: view}
	door := httptest.NewServer(http.StripPrefix("/v1/slack", c.Handler(d, nil)))
	t.Cleanup(door.Close)
	t.Cleanup(c.Wait)
	s.Deliver(door.URL+"/v1/slack/interactions", door.URL+"/v1/slack/commands")
	return &town{slack: s, world: w, chat: c, desk: d, creds: creds, door: door.URL + "/v1/slack", api: api.URL, meter: meter}
}

// serve runs a handler for the rest of the test and returns its address.
func serve(t *testing.T, h http.Handler) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

// await returns the first thing that find finds, looking again after every change in the workspace.
func await[V any](t *testing.T, tn *town, what string, find func() (V, bool)) V {
	t.Helper()
	limit := time.After(10 * time.Second)
	for {
		changed := tn.slack.Changed()
		if v, ok := find(); ok {
			return v
		}
		select {
		case <-changed:
		case <-limit:
			t.Fatalf("never saw %s", what)
		}
	}
}

func (tn *town) openModal(t *testing.T, user, before string) sandbox.SlackView {
	t.Helper()
	return await(t, tn, "a modal of "+user, func() (sandbox.SlackView, bool) {
		for _, v := range tn.slack.Views() {
			if v.User == user && v.Hash != before {
				return v, true
			}
		}
		return sandbox.SlackView{}, false
	})
}

func openView() signoff.View {
	return signoff.View{
		Request: "sr_7f3a", Digest: "sha256:4b1d9c07e2", Code: "4B1D-9C07", Title: "Delete the stolen Gemini key",
		Why:     "A public commit leaked it and it is being spent.",
		Impact:  []string{"4 of 5 dependents healthy on the new key, 1 skipped"},
		Changes: []signoff.Change{{Target: "key 8f2e in acme-prod", Before: "contained", After: "deleted", Undo: ""}},
		Spent:   "spent $1,284.10 (estimated)", Waiting: "waiting costs $28 a minute", Who: "2 of secops", WhoNot: "the starter, the key's owner",
		Otherwise: "Then nothing runs and the key stays contained.", Place: "step 5 of 8", State: signoff.StateOpen, Seats: 2,
		Link: "https://tourniquet.example/runs/r1",
		Envelope: signoff.Envelope{World: "drill", Incident: "inc_1", Playbook: "gemini-leak", PlaybookHash: "sha256:aabbccddeeff0011",
			Run: "run_1", Step: "revoke", Attempt: 1, Expires: time.Date(2031, 5, 1, 4, 0, 0, 0, time.UTC), UseWithin: 600, Complete: 1200,
			Evidence: []string{"sha256:0011223344556677"},
			Calls: []signoff.PlannedCall{{Index: 0, Step: "revoke", Action: "key.revoke", Effect: signoff.EffectFinal,
				Target: "projects/acme-prod/locations/global/keys/8f2e", Reach: "key", After: "the key is deleted",
				Inputs: map[string]any{"key": "8f2e"}, State: map[string]string{"deleted": "no"}}},
		},
	}
}
