package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/signoff"
)

// accepted stands where a refusal code would, when an attempt was let through.
const accepted = "accepted"

// heard is what came back from an attempt: the refusal code, and what the person was told.
type heard struct{ code, told string }

// attempt is one way in.
type attempt struct {
	door, name string
	playbook   string // end-key unless it says another
	check      string // which of the ten checks stands against it, where it is the one that shows that
	setup      func(context.Context, *house) (*kase, error)
	do         func(context.Context, *kase) (heard, error)
	code       string // the refusal that must come
	told       string // part of what the person must be told; empty where there is nobody to tell
	entry      string // where the ledger says so: an entry of this kind, or of this code when it begins with "code:"; "" is code:<code>
	unseen     bool   // who cannot prove who they are never reaches the ledger
	done       bool   // the legitimate one comes before the attempt, which must add no call
	mend       func(*kase, context.Context) error
}

// row is one line of the report.
type row struct {
	Door       string `json:"door"`
	Attempt    string `json:"attempt"`
	Code       string `json:"refusal_code"`
	LedgerSeq  int64  `json:"ledger_seq"` // 0 where the door itself turned somebody away who could not prove who they are
	FinalCalls int    `json:"final_calls"`
	Told       string `json:"told,omitempty"`
	Legitimate int    `json:"legitimate_calls"`
}

// try makes one attempt and the legitimate one behind it. The error lists everything that was not as it must be.
func (h *house) try(ctx context.Context, turn int, a attempt) (row, *kase, error) {
	r := row{Door: a.door, Attempt: a.name}
	if a.setup == nil {
		a.setup = func(ctx context.Context, h *house) (*kase, error) { return h.begin(ctx, orElse(a.playbook, "end-key")) }
	}
	c, err := a.setup(ctx, h)
	if err != nil {
		return r, nil, fmt.Errorf("nothing could be tried: %w", err)
	}
	var faults []error
	if a.done {
		faults = append(faults, c.rightly(ctx, turn))
	}
	before := c.calls()
	got, err := a.do(ctx, c)
	faults = append(faults, err)
	if got.code != a.code {
		faults = append(faults, fmt.Errorf("the refusal is %q and not %q (told: %.300q)", got.code, a.code, got.told))
		c.followThrough(ctx, got, before)
	}
	r.Code, r.FinalCalls, r.Told = got.code, c.calls()-before, brief(got.told)
	if r.FinalCalls != 0 {
		faults = append(faults, fmt.Errorf("%d calls that need people were made without them", r.FinalCalls))
	}
	if !strings.Contains(got.told, a.told) {
		faults = append(faults, fmt.Errorf("the person was told %.300q, which lacks %q", got.told, a.told))
	}
	if !a.unseen {
		r.LedgerSeq, err = c.seen(ctx, a)
		faults = append(faults, err)
	}
	if len(compact(faults)) > 0 { // a house that is not as it must be cannot show what a legitimate attempt gives
		return r, c, errors.Join(faults...)
	}
	if a.mend != nil {
		faults = append(faults, a.mend(c, ctx))
	}
	if !a.done {
		faults = append(faults, c.rightly(ctx, turn))
	}
	r.Legitimate = c.calls()
	return r, c, errors.Join(faults...)
}

// followThrough goes on where an attempt was let through, as its author would: others who may decide believe what they see and
// fill the seats that are left. What comes of it is counted.
func (c *kase) followThrough(ctx context.Context, got heard, before int) {
	for _, person := range deciders() {
		if got.code == accepted && c.calls() == before {
			_ = c.approve(ctx, person) // whether it counts is seen in the world
		}
	}
	_ = until(ctx, 2*time.Second, func() error {
		if c.calls() == before {
			return errors.New("nothing yet")
		}
		return nil
	})
}

// seen waits for the ledger to say that the attempt was refused.
func (c *kase) seen(ctx context.Context, a attempt) (seq int64, err error) {
	code, kind := a.code, a.entry
	if other, ok := strings.CutPrefix(a.entry, "code:"); ok {
		code, kind = other, ""
	}
	err = until(ctx, 5*time.Second, func() error {
		if seq, err = c.ledger(ctx, code, kind); err == nil && seq == 0 {
			err = fmt.Errorf("the ledger does not say %q", orElse(kind, code))
		}
		return err
	})
	return seq, err
}

func compact(all []error) (out []error) {
	for _, err := range all {
		if err != nil {
			out = append(out, err)
		}
	}
	return out
}

func orElse(a, b string) string {
	if a == "" {
		return b
	}
	return a
}

// brief keeps the first words.
func brief(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if r := []rune(s); len(r) > 160 {
		return string(r[:160]) + "…"
	}
	return s
}

// last is the code of the newest attempt of somebody on the request, as it was written down.
func (c *kase) last(ctx context.Context, person string) (string, error) {
	_, all, err := c.now(ctx)
	code := ""
	for _, a := range all {
		if a.Person == person {
			code = a.Code
			if a.Accepted {
				code = accepted
			}
		}
	}
	return code, err
}

// byAPI sends an approval as the command line does; change bends it.
func byAPI(person string, change func(c *kase, body map[string]string)) func(context.Context, *kase) (heard, error) {
	return func(ctx context.Context, c *kase) (heard, error) {
		body := map[string]string{"verb": signoff.Approve, "digest": c.view.Digest, "code": c.view.Code}
		if change != nil {
			change(c, body)
		}
		a, err := c.decide(ctx, person, body)
		return ofProblem(a), err
	}
}

func ofProblem(a answer) heard {
	if a.status == http.StatusOK {
		return heard{accepted, a.body}
	}
	return heard{a.code(), a.body}
}

// byCommand runs the real command line.
func byCommand(person string, args ...string) func(context.Context, *kase) (heard, error) {
	return func(ctx context.Context, c *kase) (heard, error) {
		full := []string{"signoff", "approve", c.view.Request, "--code", c.view.Code, "--server", c.url}
		if len(args) > 0 {
			full = append([]string{"signoff", args[0], c.view.Request, "--server", c.url}, args[1:]...)
		}
		out, err := c.command(ctx, person, full...)
		if err == nil {
			return heard{accepted, out}, nil
		}
		code, lost := c.last(ctx, person)
		return heard{code, out + err.Error()}, lost
	}
}

// byConsole submits the console's form.
func byConsole(person string, change func(c *kase, form url.Values)) func(context.Context, *kase) (heard, error) {
	return func(ctx context.Context, c *kase) (heard, error) {
		a, err := c.browse(ctx, person, func(f url.Values) {
			if change != nil {
				change(c, f)
			}
		})
		if err != nil {
			return heard{}, err
		}
		code, err := c.last(ctx, person)
		if a.status != http.StatusOK && a.status != http.StatusConflict {
			code = fmt.Sprintf("http_%d", a.status)
		}
		return heard{code, a.body}, err
	}
}

// bySocket goes the way of a person in Slack, over the socket.
func bySocket(user, person string) func(context.Context, *kase) (heard, error) {
	return func(ctx context.Context, c *kase) (heard, error) {
		told, err := c.review(ctx, user, signoff.Approve, "")
		if err != nil {
			return heard{}, err
		}
		code, err := c.last(ctx, person)
		return heard{code, told}, err
	}
}

// byPayload hands a made-up submission to the app, over the socket.
func byPayload(user, person string, change func(c *kase, at *route)) func(context.Context, *kase) (heard, error) {
	return func(ctx context.Context, c *kase) (heard, error) {
		at := c.at()
		if change != nil {
			change(c, &at)
		}
		before := len(c.Slack.Messages())
		told, err := c.inject(ctx, c.submission(user, at, nil))
		if err == nil && strings.Contains(told, "Being recorded") { // what became of it follows privately
			told, err = c.whispered(ctx, user, before)
		}
		if err != nil {
			return heard{}, err
		}
		code, err := c.last(ctx, person)
		return heard{code, told}, err
	}
}
