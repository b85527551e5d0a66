package people

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tourniquet-ir/tourniquet/integrations/chat"
	"github.com/tourniquet-ir/tourniquet/integrations/paging"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

// MostRemembered is how long an answer about people is believed at most, and unless told otherwise: execution
// accepts nothing older than a minute.
const MostRemembered = 30 * time.Second

// Directory answers who is who.
type Directory struct {
	persons []incident.Person
	groups  map[string]Group
	chat    chat.Chat // nil: only listed groups, and nobody can be checked against chat
	roster  paging.Roster
	now     func() time.Time

	fresh time.Duration

	mu    sync.Mutex
	cache map[string]answer
}

type answer struct {
	list []string
	why  string
	at   time.Time
}

// New checks that persons are distinct humans and that groups name known persons.
func New(persons []incident.Person, groups map[string]Group, c chat.Chat, now func() time.Time) (*Directory, error) {
	seen := map[string]string{}
	for _, p := range persons {
		if p.ID == "" {
			return nil, fmt.Errorf("people: a person without id")
		}
		if err := CheckRoles(p.Roles); err != nil {
			return nil, fmt.Errorf("people: %q: %w", p.ID, err)
		}
		for _, mark := range []string{"id " + p.ID, "slack user " + p.Slack, "pagerduty user " + p.PagerDuty, "OIDC subject " + p.Subject} {
			if strings.HasSuffix(mark, " ") {
				continue
			}
			if other, twice := seen[mark]; twice {
				return nil, fmt.Errorf("people: %s belongs to both %q and %q; one human is one person", mark, other, p.ID)
			}
			seen[mark] = p.ID
		}
	}
	for name, g := range groups {
		if err := g.check(); err != nil {
			return nil, fmt.Errorf("groups.%s: %w", name, err)
		}
		for _, id := range g.People {
			if _, ok := seen["id "+id]; !ok {
				return nil, fmt.Errorf("groups.%s: %q is not listed under people", name, id)
			}
		}
	}
	return &Directory{persons: persons, groups: groups, chat: c, now: now, fresh: MostRemembered, cache: map[string]answer{}}, nil
}

// Remember sets how long an answer about people is believed; zero leaves it. Call it before the first question.
func (d *Directory) Remember(age time.Duration) {
	if age > 0 {
		d.fresh = min(age, MostRemembered)
	}
}

// Ask sets who knows who is on call. Call it before the first question.
func (d *Directory) Ask(r paging.Roster) { d.roster = r }

// Person finds a person by id.
func (d *Directory) Person(id string) (incident.Person, bool) {
	return d.find(func(p incident.Person) bool { return id != "" && p.ID == id })
}

// BySlack finds a person by Slack user id.
func (d *Directory) BySlack(user string) (incident.Person, bool) {
	return d.find(func(p incident.Person) bool { return user != "" && p.Slack == user })
}

// byRoster finds a person by PagerDuty user id.
func (d *Directory) byRoster(user string) (incident.Person, bool) {
	return d.find(func(p incident.Person) bool { return user != "" && p.PagerDuty == user })
}

// BySubject finds a person by the subject under which the OIDC provider knows them.
func (d *Directory) BySubject(subject string) (incident.Person, bool) {
	return d.find(func(p incident.Person) bool { return subject != "" && p.Subject == subject })
}

func (d *Directory) find(is func(incident.Person) bool) (incident.Person, bool) {
	i := slices.IndexFunc(d.persons, is)
	if i < 0 {
		return incident.Person{}, false
	}
	return d.persons[i], true
}

// Persons lists everybody, in the order of the configuration.
func (d *Directory) Persons() []incident.Person { return slices.Clone(d.persons) }

// GroupsByName are the groups as they are configured.
func (d *Directory) GroupsByName() map[string]Group { return maps.Clone(d.groups) }

// Sizes tells how many people each group has, -1 where only another service knows.
func (d *Directory) Sizes() map[string]int {
	out := map[string]int{}
	for name, g := range d.groups {
		out[name] = len(g.People)
		if g.Asked() {
			out[name] = -1
		}
	}
	return out
}

// Members of a group as person ids, and when that was read. Members of a user group, and people on call, who are no
// persons of the configuration cannot decide and are left out.
func (d *Directory) Members(ctx context.Context, group string) ([]string, time.Time, error) {
	g, ok := d.groups[group]
	if !ok {
		return nil, time.Time{}, fmt.Errorf("no group is named %q; it would have to stand under groups in the configuration", group)
	}
	if !g.Asked() {
		return slices.Clone(g.People), d.now(), nil
	}
	ask := d.userGroup
	if g.OnCall != nil {
		ask = d.onCall
	}
	got, err := d.cached(g.cacheKey(), func() (answer, error) { return ask(ctx, group, g) })
	if err != nil {
		return nil, time.Time{}, err
	}
	return d.known(g, got.list), got.at, nil
}

// Reach is whom to write to about something that a group decides, without asking chat: its members as they were last
// read, however long ago, and everybody where they never were. Whoever decides is looked up anew.
func (d *Directory) Reach(group string) []string {
	g := d.groups[group]
	if !g.Asked() && len(g.People) > 0 {
		return slices.Clone(g.People)
	}
	d.mu.Lock()
	got := d.cache[g.cacheKey()]
	d.mu.Unlock()
	ids := d.known(g, got.list)
	if len(ids) > 0 {
		return ids
	}
	for _, p := range d.persons {
		ids = append(ids, p.ID)
	}
	return ids
}

// Groups that a person is a member of now, out of those asked about, with the age of the oldest look.
func (d *Directory) Groups(ctx context.Context, person string, among []string) (in []string, seen time.Time, err error) {
	seen = d.now()
	for _, g := range among {
		members, at, err := d.Members(ctx, g)
		if err != nil {
			return nil, time.Time{}, err
		}
		if at.Before(seen) {
			seen = at
		}
		if slices.Contains(members, person) {
			in = append(in, g)
		}
	}
	return in, seen, nil
}

// MayDecide returns "" or why this person may never decide: unknown, a bot, deleted, a guest, of another workspace.
func (d *Directory) MayDecide(ctx context.Context, person string) (string, error) {
	p, ok := d.Person(person)
	if !ok {
		return "is not listed under people", nil
	}
	if !May(RolesOf(p), Decide) {
		return "has no role that decides", nil
	}
	if p.Slack == "" || d.chat == nil {
		return "", nil
	}
	got, err := d.cached("user "+p.Slack, func() (answer, error) {
		why, err := d.chat.Eligible(ctx, p.Slack)
		return answer{why: why}, err
	})
	return got.why, err
}

// cached asks at most once per freshness period.
func (d *Directory) cached(what string, ask func() (answer, error)) (answer, error) {
	d.mu.Lock()
	got, ok := d.cache[what]
	d.mu.Unlock()
	if ok && d.now().Sub(got.at) < d.fresh {
		return got, nil
	}
	at := d.now()
	got, err := ask()
	if err != nil {
		return answer{}, err
	}
	got.at = at
	d.mu.Lock()
	d.cache[what] = got
	d.mu.Unlock()
	return got, nil
}
