package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/sandbox"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
)

// kase is one key under attack: the run that answers for it and the sign-off that is open.
type kase struct {
	*house
	key      sandbox.Key
	playbook string
	run      string
	workflow string
	view     signoff.View
	approved []string // deciders who have approved this request
	counts   func(sandbox.Entry) bool
	since    int // entries of the world log that were there before
}

// nextKey takes a key that no attempt has used; the first of them all has a dependent and is kept for who needs that.
func (h *house) nextKey(dependent bool) (sandbox.Key, error) {
	if len(h.spare) < 2 {
		return sandbox.Key{}, errors.New("there are no more keys: make more of them in openHouse")
	}
	if dependent {
		return h.spare[0], nil
	}
	k := h.spare[len(h.spare)-1]
	h.spare = h.spare[:len(h.spare)-1]
	return k, nil
}

// deletes counts every request to delete the key, whatever the provider answered.
func deletes(k sandbox.Key) func(sandbox.Entry) bool {
	return func(e sandbox.Entry) bool {
		return e.Service == "apikeys" && e.Method == http.MethodDelete && strings.Contains(e.Path, k.ID)
	}
}

// meddler is the actor of changes that an attempt itself makes at the provider.
const meddler = "somebody else"

// contains counts every change of the key that can be undone.
func contains(k sandbox.Key) func(sandbox.Entry) bool {
	return func(e sandbox.Entry) bool {
		return e.Service == "apikeys" && e.Method == http.MethodPatch && strings.Contains(e.Path, k.ID) && e.Actor != meddler
	}
}

// writes counts every write of the dependent's secret.
func writes(e sandbox.Entry) bool {
	return e.Method == http.MethodPut && strings.HasSuffix(e.Path, "/"+dependentName)
}

// calls is how often the provider was asked for what needs people, since the case began.
func (c *kase) calls() (n int) {
	for _, e := range c.World.Entries()[c.since:] {
		if c.counts(e) {
			n++
		}
	}
	return n
}

// begin starts a run about the key by hand, in sam's name, and waits for its sign-off.
func (h *house) begin(ctx context.Context, playbook string) (*kase, error) {
	k, err := h.nextKey(playbook == "hand-over")
	if err != nil {
		return nil, err
	}
	c := &kase{house: h, key: k, playbook: playbook, counts: deletes(k), since: len(h.World.Entries())}
	switch playbook {
	case "stop-key":
		c.counts = contains(k)
	case "hand-over":
		c.counts = writes
	}
	return c, c.again(ctx)
}

// again starts a new run about the same key and waits for its sign-off.
func (c *kase) again(ctx context.Context) error { return errors.Join(c.startRun(ctx), c.await(ctx)) }

// await waits for a sign-off of the run that is open and was not seen before.
func (c *kase) await(ctx context.Context) error {
	old := c.view.Request
	c.approved = nil
	return until(ctx, 20*time.Second, func() error {
		var list struct{ Items []signoff.View }
		if err := c.read(ctx, "/v1/signoffs?state=open&run="+c.run, &list); err != nil {
			return err
		}
		for _, v := range list.Items {
			if v.State != signoff.StateOpen || v.Request == old || c.card(v.Request) == nil {
				continue
			}
			was := c.view
			if c.view = v; c.at0().TS != "" {
				return nil
			}
			c.view = was // the card can be seen and is not yet written down
		}
		return fmt.Errorf("run %s asks for no sign-off", c.run)
	})
}

// now reads the sign-off as it stands, with every attempt.
func (c *kase) now(ctx context.Context) (signoff.View, []database.Attempt, error) {
	var v struct {
		View     signoff.View
		Attempts []database.Attempt
	}
	err := c.read(ctx, "/v1/signoffs/"+c.view.Request, &v)
	return v.View, v.Attempts, err
}

// state waits for the sign-off to get into a state.
func (c *kase) state(ctx context.Context, want string) error {
	return until(ctx, 25*time.Second, func() error {
		v, _, err := c.now(ctx)
		if err == nil && v.State != want {
			err = fmt.Errorf("request %s is %s, not %s", v.Request, v.State, want)
		}
		return err
	})
}

// approve has one person approve over the API, and wants it to count.
func (c *kase) approve(ctx context.Context, person string) error {
	a, err := c.decide(ctx, person, map[string]string{"verb": signoff.Approve, "digest": c.view.Digest, "code": c.view.Code})
	if err == nil && a.status != http.StatusOK {
		err = fmt.Errorf("the approval of %s was answered %d: %s", person, a.status, a.body)
	}
	c.approved = append(c.approved, person)
	return err
}

// rightly does what the rules ask for, and wants exactly one call. The surface of the last approval takes turns.
func (c *kase) rightly(ctx context.Context, turn int) error {
	var who []string
	for _, p := range deciders() {
		if !slices.Contains(c.approved, p) && len(c.approved)+len(who) < c.view.Seats {
			who = append(who, p)
		}
	}
	for i, p := range who {
		var err error
		start := time.Now()
		switch last := i == len(who)-1; {
		case last && turn%3 == 1:
			_, err = c.review(ctx, slackOf(p), signoff.Approve, "")
		case last && turn%3 == 2:
			_, err = c.browse(ctx, p, nil)
		default:
			err = c.approve(ctx, p)
		}
		if err != nil {
			return fmt.Errorf("the legitimate approval of %s: %w", p, err)
		}
		if i == len(who)-1 {
			if err := c.once(ctx); err != nil {
				return err
			}
			c.timed(start)
		}
	}
	return c.once(ctx)
}

// once wants exactly one call.
func (c *kase) once(ctx context.Context) error {
	err := until(ctx, 20*time.Second, func() error {
		if c.calls() == 0 {
			return errors.New("the legitimate approvals gave no call")
		}
		return nil
	})
	if n := c.calls(); err == nil && n != 1 {
		err = fmt.Errorf("the legitimate approvals gave %d calls", n)
	}
	return err
}

// timed remembers how long it took from the last decision to the call.
func (c *kase) timed(start time.Time) {
	for _, e := range c.World.Entries()[c.since:] {
		if c.counts(e) && e.T.After(start) {
			c.quick = append(c.quick, e.T.Sub(start))
			return
		}
	}
}

// cancel ends the run as an operator would, and waits for its end.
func (c *kase) cancel(ctx context.Context) error {
	a, err := c.api(ctx, "ana", http.MethodPost, "/v1/runs/"+c.run+"/cancel", map[string]string{"Reason": "it is stuck"})
	if err == nil && a.status != http.StatusAccepted {
		err = fmt.Errorf("cancelling run %s was answered %d: %s", c.run, a.status, a.body)
	}
	return errors.Join(err, c.end(ctx))
}

// end waits until our records say that the run is over.
func (c *kase) end(ctx context.Context) error {
	return until(ctx, 20*time.Second, func() error {
		var state string
		err := c.db.QueryRowContext(ctx, `SELECT state FROM runs WHERE id = ?`, c.run).Scan(&state)
		if err == nil && state != "done" {
			err = fmt.Errorf("run %s is %s", c.run, state)
		}
		return err
	})
}

// startRun starts a run about the key by hand, once the one before it is over, and waits for nothing.
func (c *kase) startRun(ctx context.Context) error {
	if c.run != "" {
		if err := c.end(ctx); err != nil {
			return err
		}
	}
	a, err := c.api(ctx, "sam", http.MethodPost, "/v1/runs", map[string]string{"Playbook": c.playbook, "Key": "gemini:demo:" + c.key.ID, "Reason": "somebody asks"})
	if err != nil {
		return err
	}
	var run struct{ ID, Incident string }
	if err := json.Unmarshal([]byte(a.body), &run); err != nil || a.status != http.StatusAccepted || run.ID == c.run {
		return fmt.Errorf("a run by hand was answered %d: %s", a.status, a.body)
	}
	c.run, c.workflow = run.ID, run.Incident
	return nil
}

// ledger finds the last entry that a refusal left: its code in an entry of this run or of the house, or an entry of a kind.
func (c *kase) ledger(ctx context.Context, code, kind string) (seq int64, err error) {
	rows, err := c.db.QueryContext(ctx, `SELECT seq, kind, COALESCE(body, '') FROM ledger WHERE run IN (?, ?) ORDER BY run = ?, seq`, c.run, database.HouseLedger, c.run)
	if err != nil {
		return 0, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var at int64
		var what, body string
		if err := rows.Scan(&at, &what, &body); err != nil {
			return 0, err
		}
		if kind != "" && what == kind || kind == "" && strings.Contains(body, `"code":"`+code+`"`) {
			seq = at
		}
	}
	return seq, rows.Err()
}
