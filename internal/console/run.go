package console

import (
	"errors"
	"html/template"
	"net/http"
	"slices"
	"strings"

	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/history"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/report"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
)

// picture is an SVG that we drew: what is foreign in it was escaped when it was drawn.
type picture = template.HTML

// runData is what the page of a run shows.
type runData struct {
	*report.Facts
	Lanes    chart
	Burnt    *curve
	Watch    string // alert of the usage watch that can be drawn; empty: none
	Rows     []stepView
	Picture  picture
	Asks     []report.Signoff // those that still wait for people
	Asking   []report.Question
	Else     []report.Item // what else is still open
	CSRF     string
	Brief    bool   // too many steps to show what each was given
	One      string // the only step on the page
	Timeline []report.Moment
	Filter   timeFilter
}

// stepView is a step with what its expressions gave.
type stepView struct {
	database.StepRow
	Depth int
	Seen  []seen
	Calls []report.Receipt
	Items []item // of a loop
	Cut   int    // items whose value is not kept
	Tries []try  // where more than one was needed, the latest of them

	Of, Earlier int // how many there were, and how many are not shown
}

func (c *Console) run(w http.ResponseWriter, r *http.Request, s session) {
	f, err := report.Load(r.Context(), c.DB, r.PathValue("id"))
	if err != nil {
		c.broken(w, s, err)
		return
	}
	detail := s.mayDo().Detail
	d := runData{Facts: f, Lanes: lanes(f, c.Now()), Burnt: burnCurve(f), CSRF: s.csrf, Watch: watched(f.Alerts)}
	for _, so := range f.Signoffs {
		if so.View.State == signoff.StateOpen || so.View.State == signoff.StateQuorum {
			d.Asks = append(d.Asks, so)
		}
	}
	for _, q := range f.Questions {
		if !q.Answered() {
			d.Asking = append(d.Asking, q)
		}
	}
	for _, item := range f.Open {
		if item.Kind != report.OpenSignoff && item.Kind != report.OpenQuestion && item.Kind != report.OpenForce {
			d.Else = append(d.Else, item)
		}
	}
	d.Brief = len(f.Steps) > manyRows
	d.steps(c, detail)
	trim(f, detail)
	d.Filter = readTimeFilter(r.URL.Query())
	d.Timeline = d.Filter.apply(f.Timeline, "/runs/"+f.Run.ID)
	c.render(w, s, http.StatusOK, "run", "Run "+f.Run.ID, d)
}

// manyRows is how many steps are shown with all that they were given and gave back.
const manyRows = 200

// step shows one step of a run, for runs that have too many to show all of each.
func (c *Console) step(w http.ResponseWriter, r *http.Request, s session) {
	f, err := report.Load(r.Context(), c.DB, r.PathValue("id"))
	if err != nil {
		c.broken(w, s, err)
		return
	}
	d := runData{Facts: f, One: r.URL.Query().Get("path")}
	if !slices.ContainsFunc(f.Steps, func(st database.StepRow) bool { return st.Path == d.One }) {
		c.broken(w, s, &database.NotFoundError{Kind: "step", ID: d.One})
		return
	}
	d.steps(c, s.mayDo().Detail)
	c.render(w, s, http.StatusOK, "step", "Step "+d.One, d)
}

// steps prepares the steps and the picture of the playbook at the run's digest.
func (d *runData) steps(c *Console, detail bool) {
	var e *expressions
	if c.Compile != nil {
		if p, ok := c.Compile(d.Run.Playbook, d.Run.Source); ok {
			d.Picture = c.draw(p, statuses(d.Steps))
			e = newExpressions(d.Facts, p)
		}
	}
	calls := map[string][]report.Receipt{}
	for _, call := range d.Calls {
		calls[call.Step] = append(calls[call.Step], call)
	}
	for _, row := range d.Steps {
		if d.One != "" && row.Path != d.One {
			continue
		}
		v := stepView{StepRow: row, Depth: min(strings.Count(row.Path, "/"), 4), Calls: calls[row.Path]}
		if e != nil && detail && !d.Brief {
			v.Seen = e.of(row)
		}
		v.tries(d.Questions)
		if d.Brief {
			v.Tries = nil
		}
		if detail && !d.Brief {
			v.Items, v.Cut = itemsOf(row, d.Facts.Steps)
		}
		if !detail || v.Items != nil {
			v.Inputs, v.Outputs = nil, nil
		}
		d.Rows = append(d.Rows, v)
	}
}

type historyData struct {
	Run     incident.Run
	History history.History
	Gone    string
	Step    string // only its events; empty: all
	Hidden  int
	Steps   map[string]bool // that the records know
}

// historyPage shows what the workflow engine holds. An event that the engine made in passing names its action alone; it belongs to the
// step of that action which ended last before it.
func (c *Console) historyPage(w http.ResponseWriter, r *http.Request, s session) {
	run, err := c.DB.Run(r.Context(), r.PathValue("id"))
	if err != nil {
		c.broken(w, s, err)
		return
	}
	steps, err := c.DB.Steps(r.Context(), run.ID)
	if err != nil {
		c.broken(w, s, err)
		return
	}
	d := historyData{Run: run, Step: r.URL.Query().Get("step"), Steps: map[string]bool{}}
	d.History, err = c.history(r.Context(), run)
	if err != nil {
		d.Gone = sentence(history.ErrAway.Error())
		if errors.Is(err, history.ErrGone) {
			d.Gone = sentence(err.Error())
		}
	}
	for _, st := range steps {
		d.Steps[st.Path] = true
	}
	linkPassing(d.History.Events, steps)
	if d.Step != "" {
		before := len(d.History.Events)
		d.History.Events = slices.DeleteFunc(d.History.Events, func(e history.Event) bool { return e.Step != d.Step })
		d.Hidden = before - len(d.History.Events)
	}
	c.render(w, s, http.StatusOK, "history", "History of "+run.ID, d)
}

func linkPassing(events []history.Event, steps []database.StepRow) {
	for i, e := range events {
		if e.Step != "" || e.Action == "" {
			continue
		}
		var last database.StepRow
		for _, st := range steps {
			if st.Action == e.Action && !st.FinishedAt.IsZero() && !st.FinishedAt.After(e.Time) && st.FinishedAt.After(last.FinishedAt) {
				last = st
			}
		}
		events[i].Step = last.Path
	}
}
