package console

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

type runsData struct {
	Filter   database.Filter
	From, To string // days as typed
	Problem  string
	Runs     []incident.Run
	Next     string
	First    string // the newest page of the same list; empty on it
}

func (c *Console) runs(w http.ResponseWriter, r *http.Request, s session) {
	d := runsData{From: r.URL.Query().Get("from"), To: r.URL.Query().Get("to")}
	d.Filter, d.Problem = filter(r.URL.Query())
	var err error
	if d.Runs, err = c.DB.Runs(r.Context(), d.Filter); err != nil {
		c.broken(w, s, err)
		return
	}
	q := r.URL.Query()
	if q.Has("before") {
		q.Del("before")
		d.First = "/runs?" + q.Encode()
	}
	if len(d.Runs) == d.Filter.Limit {
		q.Set("before", d.Runs[len(d.Runs)-1].ID)
		d.Next = "/runs?" + q.Encode()
	}
	c.render(w, s, http.StatusOK, "runs", "Runs", d)
}

// filter reads what was typed; a day that is none is said and left out.
func filter(q url.Values) (f database.Filter, problem string) {
	f = database.Filter{
		Incident: q.Get("incident"), State: q.Get("state"), Outcome: q.Get("outcome"), Provider: strings.TrimSpace(q.Get("provider")), Text: strings.TrimSpace(q.Get("text")),
		Before: q.Get("before"), Limit: perPage,
	}
	var bad []string
	day := func(name string) time.Time {
		if q.Get(name) == "" {
			return time.Time{}
		}
		t, err := time.Parse(time.DateOnly, q.Get(name))
		if err != nil {
			bad = append(bad, name)
		}
		return t
	}
	if f.Since, f.Until = day("from"), day("to"); !f.Until.IsZero() {
		f.Until = f.Until.AddDate(0, 0, 1) // the day itself counts
	}
	if len(bad) > 0 {
		problem = "Not a day such as 2026-11-23: " + strings.Join(bad, " and ") + ". It was left out."
	}
	return f, problem
}
