package console

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/history"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
	"github.com/tourniquet-ir/tourniquet/playbooks"
	"github.com/tourniquet-ir/tourniquet/playbooks/graph"
)

// Library is what the console shows beside our own records. What is nil is said to be missing.
type Library struct {
	Books   func() Books
	Compile func(id, source string) (*playbooks.Program, bool) // a playbook as a run carries it
	Tested  func(ctx context.Context, p *playbooks.Program) (Tested, bool)
	Seats   []signoff.Seat // who signs what policy does not let run by itself
	Policy  signoff.Policy
	Actions []ActionCard
	Keys    func(ctx context.Context) ([]KnownKey, error)
	Setup   func(ctx context.Context) (Setup, error)
	History func(ctx context.Context, run incident.Run) (history.History, error)
}

// Books are the playbooks in force; Trouble says why the files of the folder are not, if so.
type Books struct {
	Programs []*playbooks.Program
	Trouble  string
	Since    time.Time // of the trouble
}

// Tested is what the tests of a playbook said, and when.
type Tested struct {
	At       time.Time `json:"at"`
	Digest   string    `json:"digest"` // of the playbook as it was tested
	Passed   int       `json:"passed"`
	Failed   []string  `json:"failed,omitempty"` // names of tests
	Coverage int       `json:"coverage"`         // percent of steps and branches that a test reached
}

// ActionCard is an action with what providers and stores declare about it.
type ActionCard struct {
	playbooks.Card
	With []Ability
}

// Ability is what one provider or store can do of an action.
type Ability struct {
	Who, Reach, What, Undo, Why string
	Can                         bool
}

// KnownKey is a key of the inventory or of the watch. Values of keys are not among what is known here.
type KnownKey struct {
	Provider, Account, ID, Hash, Owner string
	Critical                           bool
	Dependents                         []incident.Dependent
	Watched                            bool
	Usual, Now                         string // dollars an hour: what is usual at this time, and what the last hour cost
	Trouble                            string // why the watch cannot see it
	Seen                               time.Time
}

// Target is the name under which runs carry the key.
func (k KnownKey) Target() string { return strings.Trim(k.Provider+":"+k.Account+":"+k.ID, ":") }

func (c *Console) history(ctx context.Context, run incident.Run) (history.History, error) {
	if c.History == nil {
		return history.History{}, history.ErrAway
	}
	return c.History(ctx, run)
}

type playbooksData struct {
	Books
	Tests map[string]Tested
}

func (c *Console) playbooksPage(w http.ResponseWriter, r *http.Request, s session) {
	d := playbooksData{Tests: map[string]Tested{}}
	if c.Books != nil {
		d.Books = c.Books()
	}
	d.Programs = slices.Clone(d.Programs)
	slices.SortStableFunc(d.Programs, func(a, b *playbooks.Program) int { return b.Priority - a.Priority })
	for _, p := range d.Programs {
		if t, ok := c.tested(r.Context(), p); ok {
			d.Tests[p.ID] = t
		}
	}
	c.render(w, s, http.StatusOK, "playbooks", "Playbooks", d)
}

func (c *Console) tested(ctx context.Context, p *playbooks.Program) (Tested, bool) {
	if c.Tested == nil {
		return Tested{}, false
	}
	return c.Tested(ctx, p)
}

type playbookData struct {
	*playbooks.Program
	Picture picture
	Words   string
	Test    *Tested
	Runs    []incident.Run
}

func (c *Console) playbookPage(w http.ResponseWriter, r *http.Request, s session) {
	var p *playbooks.Program
	if c.Books != nil {
		all := c.Books().Programs
		if i := slices.IndexFunc(all, func(p *playbooks.Program) bool { return p.ID == r.PathValue("id") }); i >= 0 {
			p = all[i]
		}
	}
	if p == nil {
		c.broken(w, s, &database.NotFoundError{Kind: "playbook", ID: r.PathValue("id")})
		return
	}
	runs, err := c.DB.Runs(r.Context(), database.Filter{Text: p.ID, Limit: 8})
	if err != nil {
		c.broken(w, s, err)
		return
	}
	runs = slices.DeleteFunc(runs, func(r incident.Run) bool { return r.Playbook != p.ID })
	d := playbookData{p, c.draw(p, nil), playbooks.Describe(p, c.Policy), nil, runs}
	if t, ok := c.tested(r.Context(), p); ok {
		d.Test = &t
	}
	c.render(w, s, http.StatusOK, "playbook", p.Title, d)
}

// draw makes the picture of a playbook; with the status of steps it shows the road that a run took.
func (c *Console) draw(p *playbooks.Program, status map[string]string) picture {
	return picture(graph.SVG(p, graph.Options{Status: status, Default: c.Seats, Bare: true}))
}

func (c *Console) actionsPage(w http.ResponseWriter, _ *http.Request, s session) {
	c.render(w, s, http.StatusOK, "actions", "Actions", c.Actions)
}

type keysData struct {
	Known    []KnownKey
	Attacked []attacked
}

// attacked is a key that runs were about, newest first.
type attacked struct {
	incident.Key
	Runs  int
	Last  incident.Run
	Known bool
}

// lately is how many runs the page of keys looks back.
const lately = 500

func (c *Console) keysPage(w http.ResponseWriter, r *http.Request, s session) {
	d := keysData{}
	var err error
	if c.Keys != nil {
		if d.Known, err = c.Keys(r.Context()); err != nil {
			c.broken(w, s, err)
			return
		}
	}
	runs, err := c.DB.Runs(r.Context(), database.Filter{Limit: lately})
	if err != nil {
		c.broken(w, s, err)
		return
	}
	d.Attacked = attackedKeys(runs, d.Known)
	c.render(w, s, http.StatusOK, "keys", "Keys", d)
}

func attackedKeys(runs []incident.Run, known []KnownKey) (out []attacked) {
	place := map[string]int{}
	for _, run := range runs {
		if run.Key == nil {
			continue
		}
		i, seen := place[run.Key.Target()]
		if !seen {
			i = len(out)
			place[run.Key.Target()] = i
			in := slices.ContainsFunc(known, func(k KnownKey) bool { return k.Provider == run.Key.Provider && k.ID != "" && k.ID == run.Key.ID })
			out = append(out, attacked{Key: *run.Key, Last: run, Known: in})
		}
		out[i].Runs++
	}
	return out
}
