package people_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tourniquet-ir/tourniquet/integrations/chat"
	"github.com/tourniquet-ir/tourniquet/integrations/paging"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/people"
)

// slack counts how often it is asked.
type slack struct {
	chat.Chat
	members []string
	asked   int
	away    error
}

func (s *slack) Members(context.Context, string) ([]string, error) {
	s.asked++
	return s.members, s.away
}

func (s *slack) Eligible(context.Context, string) (string, error) { return "is a guest", s.away }

// clock is moved by hand.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time { c.mu.Lock(); defer c.mu.Unlock(); return c.at }

func (c *clock) move(d time.Duration) { c.mu.Lock(); defer c.mu.Unlock(); c.at = c.at.Add(d) }

func newClock() *clock { return &clock{at: time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)} }

var acme = []incident.Person{{ID: "ann", Name: "Sam", Slack: "UANN"}, {ID: "sam", Name: "Sam", Slack: "USAM"}, {ID: "cli"}, {ID: "batch"}}

func open(t *testing.T, groups map[string]people.Group, c chat.Chat, k *clock) *people.Directory {
	t.Helper()
	d, err := people.New(acme, groups, c, k.now)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestOneHumanIsOnePerson(t *testing.T) {
	t.Parallel()
	for want, twice := range map[string][]incident.Person{
		`slack user UANN belongs to both "ann" and "anna"`: {{ID: "ann", Slack: "UANN"}, {ID: "anna", Slack: "UANN"}},
		`id ann belongs to both`:                           {{ID: "ann", Slack: "U1"}, {ID: "ann", Slack: "U2"}},
		`without id`:                                       {{Slack: "U1"}},
	} {
		if _, err := people.New(twice, nil, nil, newClock().now); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
	d := open(t, nil, nil, newClock())
	if p, ok := d.BySlack("USAM"); !ok || p.ID != "sam" {
		t.Errorf("the Slack user id leads to %+v", p)
	}
	for _, other := range []string{"Sam", "sam", ""} {
		if p, ok := d.BySlack(other); ok {
			t.Errorf("%q, which is no Slack user id, leads to %+v", other, p)
		}
	}
	if p, ok := d.Person(""); ok {
		t.Errorf("nobody is %+v", p)
	}
}

func TestGroupsNameKnownPeople(t *testing.T) {
	t.Parallel()
	for want, g := range map[string]people.Group{
		`groups.secops: "eve" is not listed under people`:                {People: []string{"ann", "eve"}},
		`groups.secops: give either people, slack_usergroup or on_call`:  {},
		`groups.secops: give either people, slack_usergroup or on_call `: {People: []string{"ann"}, SlackUsergroup: "S1"},
		`groups.secops: "UANN" is not listed under people`:               {People: []string{"UANN"}},
	} {
		_, err := people.New(acme, map[string]people.Group{"secops": g}, nil, newClock().now)
		if err == nil || !strings.Contains(err.Error(), strings.TrimSpace(want)) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
	d := open(t, map[string]people.Group{"secops": {People: []string{"ann", "cli"}}, "chat": {SlackUsergroup: "S1"}}, nil, newClock())
	if s := d.Sizes(); s["secops"] != 2 || s["chat"] != -1 || len(s) != 2 {
		t.Errorf("sizes %v", s)
	}
	if _, _, err := d.Members(context.Background(), "ghosts"); err == nil || !strings.Contains(err.Error(), `"ghosts"`) {
		t.Errorf("an unknown group: %v", err)
	}
}

func TestMembershipIsReadAnewAfterItsTime(t *testing.T) {
	t.Parallel()
	ctx, k, s := context.Background(), newClock(), &slack{members: []string{"UANN", "USTRANGER"}}
	d := open(t, map[string]people.Group{"secops": {SlackUsergroup: "S1"}, "listed": {People: []string{"sam"}}}, s, k)
	look := func(person string) ([]string, time.Time) {
		in, seen, err := d.Groups(ctx, person, []string{"secops", "listed"})
		if err != nil {
			t.Fatal(err)
		}
		return in, seen
	}
	first := k.now()
	if in, _ := look("ann"); !slices.Equal(in, []string{"secops"}) {
		t.Fatalf("ann is in %v", in)
	}
	s.members = []string{"USAM"}
	k.move(29 * time.Second)
	if in, seen := look("ann"); len(in) != 1 || !seen.Equal(first) || s.asked != 1 {
		t.Errorf("in time: %v as seen at %s, asked %d times", in, seen, s.asked)
	}
	k.move(time.Second)
	if in, seen := look("ann"); len(in) != 0 || !seen.Equal(k.now()) || s.asked != 2 {
		t.Errorf("after its time: %v as seen at %s, asked %d times", in, seen, s.asked)
	}
	if in, _ := look("sam"); !slices.Equal(in, []string{"secops", "listed"}) {
		t.Errorf("sam is in %v", in)
	}
}

func TestChatThatIsAwayIsAnErrorNotAnEmptyGroup(t *testing.T) {
	t.Parallel()
	ctx, k, s := context.Background(), newClock(), &slack{members: []string{"UANN"}}
	groups := map[string]people.Group{"secops": {SlackUsergroup: "S1"}}
	d := open(t, groups, s, k)
	if _, _, err := d.Members(ctx, "secops"); err != nil {
		t.Fatal(err)
	}
	s.away = errors.New("Slack does not answer")
	k.move(time.Minute) // what was believed before is too old to be used in its place
	if in, _, err := d.Groups(ctx, "ann", []string{"secops"}); !errors.Is(err, s.away) || in != nil {
		t.Errorf("groups %v, %v", in, err)
	}
	if why, err := d.MayDecide(ctx, "ann"); !errors.Is(err, s.away) || why != "" {
		t.Errorf("may decide: %q, %v", why, err)
	}
	s.away = nil
	if why, err := d.MayDecide(ctx, "ann"); err != nil || why != "is a guest" {
		t.Errorf("an error was kept as an answer: %q, %v", why, err)
	}
	if _, _, err := open(t, groups, nil, k).Members(ctx, "secops"); err == nil || !strings.Contains(err.Error(), "Slack is not configured") {
		t.Errorf("without Slack: %v", err)
	}
}

func TestWhomToWriteToIsKnownWhileChatIsAway(t *testing.T) {
	t.Parallel()
	k := newClock()
	s := &slack{members: []string{"UANN"}}
	d := open(t, map[string]people.Group{"listed": {People: []string{"cli"}}, "secops": {SlackUsergroup: "S1"}, "never": {SlackUsergroup: "S2"}}, s, k)
	if _, _, err := d.Members(t.Context(), "secops"); err != nil {
		t.Fatal(err)
	}
	k.move(48 * time.Hour)
	s.away = errors.New("chat is away")
	for group, want := range map[string][]string{"listed": {"cli"}, "secops": {"ann"}, "never": {"ann", "sam", "cli", "batch"}} {
		if got := d.Reach(group); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", group, got, want)
		}
	}
	if _, _, err := d.Members(t.Context(), "secops"); err == nil {
		t.Error("old knowledge decides")
	}
}

// rota says who is on call.
type rota struct {
	users []string
	asked int
	away  error
}

func (r *rota) OnCall(context.Context, paging.Rota) ([]string, error) {
	r.asked++
	return r.users, r.away
}

func TestWhoIsOnCallIsAskedAndRememberedForAShortWhile(t *testing.T) {
	t.Parallel()
	k, r := newClock(), &rota{users: []string{"PANN", "PSTRANGER"}}
	crew := []incident.Person{{ID: "ann", Slack: "UANN", PagerDuty: "PANN"}, {ID: "bob", PagerDuty: "PBOB"}}
	d, err := people.New(crew, map[string]people.Group{"on_call": {OnCall: &people.OnCall{Schedule: "PDAY"}}}, nil, k.now)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := d.Members(t.Context(), "on_call"); err == nil || !strings.Contains(err.Error(), "api_token") {
		t.Fatalf("nobody can be asked: %v", err)
	}
	d.Ask(r)
	members := func() []string {
		t.Helper()
		got, _, err := d.Members(t.Context(), "on_call")
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	if got := members(); !slices.Equal(got, []string{"ann"}) || d.Sizes()["on_call"] != -1 {
		t.Errorf("on call is %v", got)
	}
	r.users = []string{"PBOB"} // the shift ends
	k.move(29 * time.Second)
	if got := members(); !slices.Equal(got, []string{"ann"}) || r.asked != 1 {
		t.Errorf("within half a minute: %v, asked %d times", got, r.asked)
	}
	k.move(2 * time.Second)
	if got := members(); !slices.Equal(got, []string{"bob"}) {
		t.Errorf("after half a minute: %v", got)
	}
	r.away = errors.New("PagerDuty is away")
	k.move(time.Minute)
	if _, _, err := d.Members(t.Context(), "on_call"); err == nil {
		t.Error("a rota that cannot be asked lets somebody decide")
	}
	if got := d.Reach("on_call"); !slices.Equal(got, []string{"bob"}) {
		t.Errorf("who is written to: %v", got)
	}
	r.away, r.users = nil, nil
	if got := members(); len(got) != 0 {
		t.Errorf("nobody is on call, and %v may decide", got)
	}
}

func TestAGroupIsOneOfThreeKinds(t *testing.T) {
	t.Parallel()
	for name, g := range map[string]people.Group{
		"two kinds":          {SlackUsergroup: "S1", OnCall: &people.OnCall{Schedule: "P1"}},
		"a rota of nothing":  {OnCall: &people.OnCall{}},
		"two rotas":          {OnCall: &people.OnCall{Schedule: "P1", Policy: "P2"}},
		"a level of a shift": {OnCall: &people.OnCall{Schedule: "P1", Level: 2}},
		"a negative level":   {OnCall: &people.OnCall{Policy: "P1", Level: -1}},
	} {
		if _, err := people.New(acme, map[string]people.Group{"g": g}, nil, newClock().now); err == nil || !strings.Contains(err.Error(), "groups.g") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := people.New([]incident.Person{{ID: "a", PagerDuty: "P1"}, {ID: "b", PagerDuty: "P1"}}, nil, nil, newClock().now); err == nil {
		t.Error("one user of PagerDuty is two people")
	}
}
