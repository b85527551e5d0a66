package console

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/people"
	"github.com/tourniquet-ir/tourniquet/internal/report"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
	"github.com/tourniquet-ir/tourniquet/internal/wire"
)

type signoffData struct {
	report.Signoff
	Run      report.Facts
	Answer   *answered
	Typed    string
	Reason   string
	MayStill bool // reject is still possible after the seats are filled
}

// answered is what the desk said to the person who decided just now.
type answered struct {
	Sentence string
	Accepted bool
	Code     string
}

func (c *Console) signoff(w http.ResponseWriter, r *http.Request, s session) {
	c.showSignoff(w, r, s, http.StatusOK, nil)
}

func (c *Console) showSignoff(w http.ResponseWriter, r *http.Request, s session, status int, a *answered) {
	id := r.PathValue("id")
	view, err := c.DB.Request(r.Context(), id)
	if err != nil {
		c.broken(w, s, err)
		return
	}
	f, err := report.Load(r.Context(), c.DB, view.Envelope.Run)
	if err != nil {
		c.broken(w, s, err)
		return
	}
	d := signoffData{Run: *f, Answer: a, MayStill: view.State == signoff.StateQuorum}
	for _, so := range f.Signoffs {
		if so.View.Request == id {
			d.Signoff = so
		}
	}
	if a != nil && !a.Accepted {
		d.Typed, d.Reason = r.PostFormValue("code"), r.PostFormValue("reason")
	}
	c.render(w, s, status, "signoff", view.Title, d)
}

// decide hands a press to the desk, which records it and refuses what does not count. Only a form that belongs to another
// page never becomes an attempt.
func (c *Console) decide(w http.ResponseWriter, r *http.Request, s session) {
	id := r.PathValue("id")
	view, err := c.DB.Request(r.Context(), id)
	if err != nil {
		c.missed(r.Context(), s.person.ID, SurfaceConsole, id, r.PostFormValue("verb"), err)
		c.broken(w, s, err)
		return
	}
	if !s.may(people.Decide) {
		c.showSignoff(w, r, s, http.StatusForbidden, &answered{Sentence: lookOnly, Code: viewerOnly})
		return
	}
	in := decision{Verb: r.PostFormValue("verb"), Reason: r.PostFormValue("reason"), Digest: r.PostFormValue("digest"), Code: r.PostFormValue("code")}
	if request := r.PostFormValue("request"); request != id {
		why := fmt.Sprintf("The form names the request %q, but this page is about %q. Nothing was done; load the page again.", request, id)
		c.showSignoff(w, r, s, http.StatusUnprocessableEntity, &answered{Sentence: why, Code: "malformed"})
		return
	}
	a := in.act(s.person.ID, SurfaceConsole, view)
	sentence, accepted, code := c.Desk.Decide(r.Context(), a)
	status := http.StatusOK
	if !accepted {
		status = http.StatusConflict
	}
	c.watch.poke()
	c.showSignoff(w, r, s, status, &answered{sentence, accepted, code})
}

// missed hands an attempt on something that does not exist to the desk, which writes it down; the page says the rest.
func (c *Console) missed(ctx context.Context, person, surface, request, verb string, err error) {
	var missing *database.NotFoundError
	if errors.As(err, &missing) && person != "" {
		_, _, _ = c.Desk.Decide(ctx, Act{Person: person, Surface: surface, Request: request, Verb: verb})
	}
}

const (
	viewerOnly = "viewer"
	lookOnly   = "You may only look. To decide, sign in as somebody who is listed under people with the role of a responder."
)

// decision is what a person sends, by form or by API.
type decision struct {
	Verb   string `json:"verb"`
	Reason string `json:"reason,omitempty"`
	Digest string `json:"digest,omitempty"`
	Code   string `json:"code,omitempty"`
}

// act binds the decision to the digest that the person was shown. A check code of something else gives a digest that
// cannot hold, so that the desk records and refuses the attempt.
func (d decision) act(person, surface string, v signoff.View) Act {
	a := Act{Person: person, Surface: surface, Request: v.Request, Verb: d.Verb, Digest: d.Digest, Reason: strings.TrimSpace(d.Reason)}
	typed := strings.ToLower(strings.TrimSpace(d.Code))
	if a.Digest == "" && (typed == v.Code || d.Verb == signoff.Reject && typed == "") {
		a.Digest = v.Digest
	}
	switch {
	case typed != "" && typed != signoff.CheckCode(a.Digest):
		a.Digest = "check code " + typed
	case typed == "" && d.Verb == signoff.Approve: // whoever approves says which calls they mean
		a.Digest = "no check code"
	}
	return a
}

type questionData struct {
	database.Question
	Attempts []database.Attempt
	Answer   *answered
}

func (c *Console) question(w http.ResponseWriter, r *http.Request, s session) {
	c.showQuestion(w, r, s, http.StatusOK, nil)
}

func (c *Console) showQuestion(w http.ResponseWriter, r *http.Request, s session, status int, a *answered) {
	q, err := c.DB.Question(r.Context(), r.PathValue("id"))
	if err != nil {
		c.broken(w, s, err)
		return
	}
	attempts, err := c.DB.Attempts(r.Context(), q.ID)
	if err != nil {
		c.broken(w, s, err)
		return
	}
	c.render(w, s, status, "question", "Question", questionData{q, attempts, a})
}

func (c *Console) answer(w http.ResponseWriter, r *http.Request, s session) {
	q, err := c.DB.Question(r.Context(), r.PathValue("id"))
	if err != nil {
		c.missed(r.Context(), s.person.ID, SurfaceConsole, r.PathValue("id"), wire.VerbAnswer, err)
		c.broken(w, s, err)
		return
	}
	if !s.may(people.Decide) {
		c.showQuestion(w, r, s, http.StatusForbidden, &answered{Sentence: lookOnly, Code: viewerOnly})
		return
	}
	text := strings.TrimSpace(r.PostFormValue("answer"))
	if text == "" {
		c.showQuestion(w, r, s, http.StatusUnprocessableEntity, &answered{Sentence: "Choose an answer. Nothing was done.", Code: "malformed"})
		return
	}
	sentence, accepted, code := c.Desk.Decide(r.Context(), Act{
		Person: s.person.ID, Surface: SurfaceConsole, Request: q.ID, Verb: wire.VerbAnswer, Digest: r.PostFormValue("digest"), Answer: text,
	})
	status := http.StatusOK
	if !accepted {
		status = http.StatusConflict
	}
	c.watch.poke()
	c.showQuestion(w, r, s, status, &answered{sentence, accepted, code})
}
