package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/sandbox"
	"github.com/tourniquet-ir/tourniquet/internal/seal"
)

// presses are the ones that decide, as the world saw them.
type presses struct {
	took                     []took
	acknowledged, unanswered int
	tried, heard             map[mark]int
}

// mark is what one person did about one request.
type mark struct{ request, person, verb string }

// people are the persons behind Slack's ids, as the configuration has them.
var people = map[string]string{sandbox.UserAna: "ana", sandbox.UserBo: "bo", sandbox.UserLee: "lee"}

// pressesOf reads them from the world's log: a press, and later whether it was acknowledged.
func pressesOf(world []sandbox.Entry) presses {
	p := presses{tried: map[mark]int{}, heard: map[mark]int{}}
	waiting := map[mark][]sandbox.Entry{}
	for _, e := range world {
		request, verb, _ := strings.Cut(e.Path, "/")
		m := mark{request, people[e.Actor], verb}
		switch {
		case e.Service != "slack":
		case e.Method == "PRESS" && e.Effect == sandbox.EffectPress:
			p.tried[m]++
			waiting[m] = append(waiting[m], e)
		case e.Method == "ACK" && len(waiting[m]) > 0:
			began := waiting[m][0]
			waiting[m] = waiting[m][1:]
			if e.Status != 200 {
				p.unanswered++
				continue
			}
			p.acknowledged++
			p.heard[m]++
			p.took = append(p.took, took{began.T, e.T.Sub(began.T)})
		}
	}
	return p
}

// record is what the product wrote down of a mark. One press leaves a line when it is sent to its run or refused, and one
// more when the run refuses it after all.
type record struct {
	lines, sent int
	counted     int // decisions that fill a seat
}

// against compares with what the records hold: every press that was acknowledged is there, nobody did more than they pressed,
// and nobody filled two seats.
func (p presses) against(made map[mark]record) (lost []string) {
	all := map[mark]bool{}
	for m := range p.tried {
		all[m] = true
	}
	for m := range made {
		all[m] = true
	}
	for m := range all {
		r := made[m]
		if r.lines < p.heard[m] {
			lost = append(lost, fmt.Sprintf("%s was told %d times that %q on %s had arrived, and %d are in the records", m.person, p.heard[m], m.verb, m.request, r.lines))
		}
		if n := max(r.sent, r.lines-r.sent); n > p.tried[m] {
			lost = append(lost, fmt.Sprintf("%s pressed %q on %s %d times, and %d are in the records", m.person, m.verb, m.request, p.tried[m], n))
		}
		if r.counted > 1 {
			lost = append(lost, fmt.Sprintf("%s's %q on %s was counted %d times", m.person, m.verb, m.request, r.counted))
		}
	}
	slices.Sort(lost)
	return lost
}

// recorded is all that the records hold of whatever somebody pressed or was to sign.
func (g *siege) recorded(ctx context.Context, pressed presses) (made map[mark]record, err error) {
	ring, err := seal.Load(filepath.Join(g.Dir, "keyring.json"))
	if err != nil {
		return nil, err
	}
	db, err := database.Open(ctx, g.address, ring.Box())
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	views, err := db.Requests(ctx, "", false)
	if err != nil {
		return nil, err
	}
	made = map[mark]record{}
	requests := map[string]bool{} // questions are none of the views
	for m := range pressed.tried {
		requests[m.request] = true
	}
	for _, v := range views {
		requests[v.Request] = true
		for _, d := range v.Decided {
			m := mark{v.Request, d.Person, d.Verb}
			made[m] = record{counted: made[m].counted + 1}
		}
	}
	for r := range requests {
		list, err := db.Attempts(ctx, r)
		if err != nil {
			return nil, err
		}
		for _, a := range list {
			m := mark{a.Request, a.Person, a.Verb}
			one := made[m]
			one.lines++
			if a.Accepted {
				one.sent++
			}
			made[m] = one
		}
	}
	return made, nil
}
