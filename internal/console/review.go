package console

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"

	"github.com/tourniquet-ir/tourniquet/internal/api"
	"github.com/tourniquet-ir/tourniquet/internal/review"
)

// review takes a lesson, a next step or its end from a form, and shows the run again.
func (c *Console) review(w http.ResponseWriter, r *http.Request, s session) {
	m := review.Remark{Kind: r.PostFormValue("kind"), Text: r.PostFormValue("text"), Owner: r.PostFormValue("owner"), Due: r.PostFormValue("due")}
	if n := r.PostFormValue("next_step"); n != "" {
		number, err := strconv.ParseInt(n, 10, 64)
		if err != nil {
			c.fault(w, s, http.StatusUnprocessableEntity, "The number of the next step does not read. Nothing was written down.")
			return
		}
		m.NextStep = number
	}
	_, err := c.remark(r.Context(), s.person.ID, SurfaceConsole, r.PathValue("id"), m)
	if no := new(review.RefusedError); errors.As(err, &no) {
		c.fault(w, s, http.StatusUnprocessableEntity, "Nothing was written down: "+no.Why+".")
		return
	}
	if err != nil {
		c.broken(w, s, err)
		return
	}
	http.Redirect(w, r, "/runs/"+url.PathEscape(r.PathValue("id"))+"#h-review", http.StatusSeeOther)
}

type reviewIn struct {
	ID string `path:"id"`
	review.Remark
}

// reviewed is where a remark stands in the ledger.
type reviewed struct {
	RunID  string `json:"run_id"`
	Number int64  `json:"number"`
}

// apiReview is the same for programs.
func (c *Console) apiReview(ctx context.Context, who api.Caller, in reviewIn) (reviewed, error) {
	number, err := c.remark(ctx, who.Person.ID, SurfaceCLI, in.ID, in.Remark)
	if no := new(review.RefusedError); errors.As(err, &no) {
		return reviewed{}, api.Fault(http.StatusUnprocessableEntity, "refused", "Nothing was written down: "+no.Why+".")
	}
	if err != nil {
		return reviewed{}, c.apiFault(err)
	}
	return reviewed{in.ID, number}, nil
}

func (c *Console) remark(ctx context.Context, person, surface, run string, m review.Remark) (int64, error) {
	m.By, m.Surface, m.At = person, surface, c.Now()
	number, err := review.Add(ctx, c.DB, c.Known, run, m)
	if err == nil {
		c.watch.poke()
	}
	return number, err
}
