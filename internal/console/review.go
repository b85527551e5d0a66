package console

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"

	"github.com/tourniquet-ir/tourniquet/internal/review"
)

// review takes a lesson, a next step or its end from a form, and shows the run again.
func (c *Console) review(w http.ResponseWriter, r *http.Request, s session) {
	if s.viewer() {
		c.fault(w, s, http.StatusForbidden, lookOnly)
		return
	}
	m := review.Remark{Kind: r.PostFormValue("kind"), Text: r.PostFormValue("text"), Owner: r.PostFormValue("owner"), Due: r.PostFormValue("due")}
	if n := r.PostFormValue("next_step"); n != "" {
		number, err := strconv.ParseInt(n, 10, 64)
		if err != nil {
			c.fault(w, s, http.StatusUnprocessableEntity, "The number of the next step does not read. Nothing was written down.")
			return
		}
		m.NextStep = number
	}
	_, err := c.remark(r, s, SurfaceConsole, m)
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

// apiReview is the same for programs.
func (c *Console) apiReview(w http.ResponseWriter, r *http.Request, s session) {
	var m review.Remark
	if !read(w, r, &m) {
		return
	}
	number, err := c.remark(r, s, SurfaceCLI, m)
	if no := new(review.RefusedError); errors.As(err, &no) {
		problem(w, http.StatusUnprocessableEntity, "refused", "Nothing was written down: "+no.Why+".")
		return
	}
	if err != nil {
		c.apiBroken(w, err)
		return
	}
	send(w, http.StatusCreated, map[string]any{"run_id": r.PathValue("id"), "number": number})
}

func (c *Console) remark(r *http.Request, s session, surface string, m review.Remark) (int64, error) {
	m.By, m.Surface, m.At = s.person.ID, surface, c.Now()
	number, err := review.Add(r.Context(), c.DB, c.Known, r.PathValue("id"), m)
	if err == nil {
		c.watch.poke()
	}
	return number, err
}
