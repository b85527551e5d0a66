package e2e

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

// kept is what somebody reads whose press nobody could count yet: it is written down, and it has not been counted.
const kept = "written down and signed; it counts as soon as the run takes it"

// reads waits until somebody has read these words in Slack so many times, in messages that nobody else sees.
func (p page) reads(t *testing.T, user, words string, times int) {
	t.Helper()
	eventually(t, 15*time.Second, func() error {
		var all []string
		n := 0
		for _, m := range p.told(t, user) {
			if m.For == user {
				if all = append(all, string(m.Blocks)); strings.Contains(string(m.Blocks), words) {
					n++
				}
			}
		}
		if n >= times {
			return nil
		}
		return fmt.Errorf("%s reads %q, and not %q for the %d. time", user, all, words, times)
	})
}

// hears waits until somebody is written to directly in these words.
func (p page) hears(t *testing.T, user, words string) {
	t.Helper()
	eventually(t, 15*time.Second, func() error {
		for _, m := range p.told(t, user) {
			if strings.HasPrefix(m.Channel, "D") && strings.Contains(m.Text+string(m.Blocks), words) {
				return nil
			}
		}
		return fmt.Errorf("nobody wrote %q to %s", words, user)
	})
}

// told are the messages as they are drawn, with all their words.
func (p page) told(t *testing.T, user string) []drawn {
	t.Helper()
	resp, err := client().Get(p.url + "/page/state?user=" + url.QueryEscape(user))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	var s struct{ Messages []drawn }
	if err := json.NewDecoder(resp.Body).Decode(&s); err != nil {
		t.Fatal(err)
	}
	return s.Messages
}

type drawn struct {
	Channel, Text, For string
	Blocks             json.RawMessage
}

// signed is what the records say of one sign-off.
type signed struct {
	View struct {
		State   string
		Filled  int
		Decided []struct{ Person, Verb string }
	}
	Attempts []struct {
		Person, Verb string
		Accepted     bool
	}
}

func (f *fleet) signed(t *testing.T, request string) (s signed) {
	t.Helper()
	f.read(t, "/v1/signoffs/"+request, &s)
	return s
}

// once checks that each of these people stands in the records of a sign-off once, as tried and as counted.
func (s signed) once(t *testing.T, request string, people ...string) {
	t.Helper()
	var tried, counted []string
	for _, a := range s.Attempts {
		if !a.Accepted || a.Verb != "approve" {
			t.Errorf("%s: an attempt that nobody made: %+v", request, a)
		}
		tried = append(tried, a.Person)
	}
	for _, d := range s.View.Decided {
		counted = append(counted, d.Person)
	}
	slices.Sort(tried)
	slices.Sort(counted)
	slices.Sort(people)
	if !slices.Equal(tried, people) || !slices.Equal(counted, people) {
		t.Errorf("%s: tried %v, counted %v, pressed %v", request, tried, counted, people)
	}
}

// Temporal loses updates that were sent while no worker ran. A press in that time is not lost: whoever pressed is told that it is
// kept and has not counted, nothing is called, and a worker that comes back makes each call once.
func TestAPressWhileNoWorkerRunsIsKeptAndCountsOnceWhenOneIsBack(t *testing.T) {
	t.Parallel()
	program := built(t, shop.honest)
	turn(t)
	f, slack, alert, github, log := openFleet(t, program)
	f.up(t, "api-1")
	worker := f.up(t, "worker")
	f.token = strings.TrimSpace(f.run(t, "api-1", "person", "token", "--for", "ana", "--issued-by", "lee"))
	f.webhook(t, github, alert)
	slack.answer(t, ana, "abuse")
	replace := slack.open(t)

	worker.end(t)
	pressed := []string{ana, lee, bo}
	for _, who := range pressed {
		slack.approve(t, who, replace)
		slack.reads(t, who, kept, 1)
	}
	if s := f.signed(t, replace); s.View.State != "open" || s.View.Filled != 0 || len(s.Attempts) != len(pressed) {
		t.Errorf("nobody could count, and the records say %+v", s)
	}
	if calls := finals(readWorld(t, log)); len(calls) != 0 {
		t.Fatalf("called while no worker ran: %+v", calls)
	}

	worker = f.up(t, "worker")
	revoke := slack.open(t, replace)
	f.signed(t, replace).once(t, replace, "ana", "bo", "lee")

	for _, who := range pressed { // by a message to them alone, when it was counted
		slack.hears(t, who, "Your approval counts")
	}

	worker.kill9() // without a word this time, and the process that took the presses dies as well
	for _, who := range []string{ana, bo} {
		slack.approve(t, who, revoke)
		slack.reads(t, who, kept, 2)
	}
	f.apis["api-1"].kill9()
	f.up(t, "api-1")
	for _, e := range finals(readWorld(t, log)) {
		if e.Method == "DELETE" {
			t.Fatalf("deleted while no worker ran: %+v", e)
		}
	}
	f.up(t, "worker")
	f.finished(t, 90*time.Second)
	f.signed(t, revoke).once(t, revoke, "ana", "bo")
	rightly(t, readWorld(t, log), replace, revoke)
}
