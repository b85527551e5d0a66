package main

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"
)

// Two clocks never agree to the millisecond: a charge this close to a mark may lie on either side of it.
const slack = 250 * time.Millisecond

const cent = 0.01

// nothingAfterProof wants the proof itself, too: the provider refused the stolen key to somebody else than the attacker.
func nothingAfterProof(c *trial) (problems []string) {
	proven, known := c.told.Marks["proven"]
	if !known {
		if c.told.Outcome == contained {
			return []string{"the run says contained, but the mark \"proven\" is missing"}
		}
		return nil
	}
	for _, e := range c.abuse() {
		if e.T.After(proven) {
			problems = append(problems, fmt.Sprintf("%s cost %.4f USD after the proof of %s", e, e.USD, proven.Format("15:04:05.000")))
		}
	}
	stolen := c.stolen()
	var deleted time.Time
	for _, e := range c.finals() {
		if actionOf(e) == "key.revoke" && stolen[e.Key] {
			deleted = e.T
		}
	}
	probes := c.where(func(e entry) bool {
		return stolen[e.Key] && slices.Contains(tried, e.Service) && e.Actor != attacker &&
			!e.obeyed() && e.T.After(deleted) && e.T.Before(proven.Add(slack))
	})
	if len(probes) == 0 && !c.leaked() { // nobody ever told the value: then the issuer's own record has to say it
		probes = c.where(func(e entry) bool {
			return stolen[e.Key] && e.Actor == responder && e.Effect == "observe" && e.obeyed() && e.T.After(deleted) && e.T.Before(proven.Add(slack))
		})
	}
	if deleted.IsZero() || len(probes) == 0 {
		problems = append(problems, "the world never refused the stolen key to a probe between its deletion and the mark \"proven\"")
	}
	return problems
}

// tidied: a run that ended well leaves no ticket of its own and no alert of the source open.
func tidied(c *trial) (problems []string) {
	if c.told.Outcome != contained && c.told.Outcome != falseAlarm {
		return nil
	}
	opened, closed, resolved := 0, map[string]bool{}, false
	for _, e := range c.where(func(e entry) bool { return e.Service == "github" && e.Actor == responder && e.obeyed() }) {
		switch {
		case e.Method == "POST" && strings.HasSuffix(e.Path, "/issues"):
			opened++
		case e.Method == "PATCH" && strings.Contains(e.Path, "/issues/"):
			closed[e.Path] = true
		case e.Method == "PATCH" && strings.Contains(e.Path, "/secret-scanning/alerts/"):
			resolved = true
		}
	}
	if opened != len(closed) {
		problems = append(problems, fmt.Sprintf("%d tickets were opened and %d closed", opened, len(closed)))
	}
	read := c.where(func(e entry) bool {
		return e.Service == "github" && e.Method == "GET" && e.Actor == responder && e.obeyed() && strings.Contains(e.Path, "/secret-scanning/alerts/")
	})
	if len(read) > 0 && !resolved {
		problems = append(problems, fmt.Sprintf("the alert that was read (%s) was never resolved", read[0]))
	}
	return problems
}

// leaked reports whether the world itself gave the key's value away.
func (c *trial) leaked() bool {
	return len(c.where(func(e entry) bool { return e.Effect == "leak" })) > 0
}

// dependentsMoved looks at everybody who was charged for honest use: in the sandbox one application behind each secret.
func dependentsMoved(c *trial) (problems []string) {
	stolen := c.stolen()
	given := map[string]time.Time{} // new key -> when a secret store first got it
	places := map[string]bool{}
	for _, e := range c.finals() {
		if actionOf(e) != "dependent.update" {
			continue
		}
		places[e.Path] = true
		if e.Key == "" || stolen[e.Key] {
			problems = append(problems, fmt.Sprintf("%s wrote a value that is no new key (key %q)", e, e.Key))
		} else if _, has := given[e.Key]; !has {
			given[e.Key] = e.T
		}
	}
	if c.told.Outcome != contained && len(given) == 0 {
		return problems
	}
	last, worked := map[string]entry{}, map[string]bool{}
	for _, e := range c.log {
		if e.Effect == "use" && e.obeyed() && e.Actor != responder {
			last[e.Actor] = e
			worked[e.Actor] = worked[e.Actor] || stolen[e.Key]
		}
	}
	moved := 0
	for _, who := range slices.Sorted(maps.Keys(worked)) {
		at, has := given[last[who].Key]
		has = has && !last[who].T.Before(at)
		if has {
			moved++
		} else if worked[who] {
			problems = append(problems, fmt.Sprintf("%q last worked with the key %q at %s, which is not one that it was given", who, last[who].Key, last[who].T.Format("15:04:05.000")))
		}
	}
	if moved < len(places) {
		problems = append(problems, fmt.Sprintf("%d secrets were written, but only %d dependents were seen to work with a new key", len(places), moved))
	}
	return problems
}

// dollarsAddUp sums what the attacker was charged.
func dollarsAddUp(c *trial) (problems []string) {
	sum := func(until time.Time) (total float64) {
		for _, e := range c.abuse() {
			if !e.T.After(until) {
				total += e.USD
			}
		}
		return total
	}
	end := c.log[len(c.log)-1].T
	within := func(name string, low, high float64) {
		said := c.told.USD[name]
		if said == nil {
			problems = append(problems, fmt.Sprintf("usd.%s is missing", name))
		} else if math.IsNaN(*said) || *said < low-cent || *said > high+cent {
			problems = append(problems, fmt.Sprintf("usd.%s is %.4f, the world charged %.4f to %.4f", name, *said, low, high))
		}
	}
	within("total", sum(end), sum(end))
	for _, name := range []string{"alert", contained} {
		at, known := c.told.Marks[name]
		if !known {
			if c.told.Outcome == contained {
				problems = append(problems, fmt.Sprintf("the mark %q is missing", name))
			}
			continue
		}
		within("at_"+name, sum(at.Add(-slack)), sum(at.Add(slack)))
	}
	if two := c.told.USD["uncontained_48h"]; two == nil || *two < sum(end)-cent {
		problems = append(problems, "usd.uncontained_48h is missing or less than what was really spent")
	}
	return problems
}

// marksAgree checks their order, and the two that the log alone decides.
func marksAgree(c *trial) (problems []string) {
	order := []string{"alert", "first_action", contained, "revoked", "proven"}
	for i, name := range order {
		for _, later := range order[i+1:] {
			a, hasA := c.told.Marks[name]
			b, hasB := c.told.Marks[later]
			if hasA && hasB && b.Add(slack).Before(a) {
				problems = append(problems, fmt.Sprintf("%q lies before %q", later, name))
			}
		}
	}
	abuse := c.abuse()
	if theft := c.theft(); theft == "spends" && len(abuse) == 0 {
		return append(problems, "the attacker never spent anything, so the drill showed nothing")
	} else if theft != "spends" {
		return append(problems, noThief(c, theft)...)
	}
	for _, m := range []struct {
		name  string
		entry entry
		off   time.Duration
	}{
		{"first_abuse", abuse[0], time.Minute}, // providers count in buckets of a minute
		{"spend_stopped", abuse[len(abuse)-1], time.Second},
	} {
		if at, known := c.told.Marks[m.name]; known && at.Sub(m.entry.T).Abs() > m.off {
			problems = append(problems, fmt.Sprintf("%q is %s, the world says %s", m.name, at.Format(time.RFC3339Nano), m.entry.T.Format(time.RFC3339Nano)))
		}
	}
	return problems
}

// noThief judges a drill in which nobody stole: no abuse and no mark of any, and of an honest load, that it was stopped and
// let go on by a way back that people signed.
func noThief(c *trial, theft string) (problems []string) {
	for _, e := range c.abuse() {
		problems = append(problems, fmt.Sprintf("%s is abuse in a drill without a thief", e))
	}
	if at, known := c.told.Marks["first_abuse"]; known {
		problems = append(problems, fmt.Sprintf("the mark \"first_abuse\" is %s, but there was no thief", at.Format(time.RFC3339Nano)))
	}
	if theft != "honest" {
		return problems
	}
	back, signed := time.Time{}, ""
	for _, so := range c.told.Signoffs {
		for _, call := range so.Calls {
			if call.Action == "key.restore" && so.State == "done" {
				signed = so.ID
			}
		}
	}
	for _, e := range c.log {
		if e.Effect == "undoable" && e.Actor == responder && e.obeyed() {
			back = e.T
		}
	}
	if back.IsZero() && signed == "" {
		return problems // nothing was ever taken away
	}
	if who := c.approvers(signed, back); signed == "" || len(who) < 2 {
		problems = append(problems, fmt.Sprintf("the key was given back when %d of at least 2 people had approved that", len(who)))
	}
	use := c.where(func(e entry) bool { return e.Effect == "use" && e.obeyed() && e.Actor != responder })
	if len(use) == 0 || use[len(use)-1].T.Before(back) {
		problems = append(problems, "nobody was seen to work with the key after it was given back")
	}
	return problems
}
