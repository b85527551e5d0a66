package main

import (
	"fmt"
	"slices"
	"strings"
)

// promise is one final call that people signed, and the calls of the world that kept it.
type promise struct {
	request string
	state   string
	planned
	kept []entry
}

// promises lists the final calls of every sign-off: its own list of calls, or where the drill does not tell them, the
// final steps below its step.
func (c *trial) promises() []*promise {
	var out []*promise
	for _, so := range c.told.Signoffs {
		calls := so.Calls
		if len(calls) == 0 {
			for _, s := range c.told.Steps {
				if s.ID == so.Step || strings.HasPrefix(s.ID, so.Step+"/") || strings.HasPrefix(s.ID, so.Step+"[") {
					calls = append(calls, planned{Step: s.ID, Action: s.Action, Effect: s.Effect})
				}
			}
		}
		for _, call := range calls {
			if call.Effect == "final" {
				out = append(out, &promise{request: so.ID, state: so.State, planned: call})
			}
		}
	}
	return out
}

// match gives every final call of the world to the promise that it keeps. A repeat of a call goes to the promise that
// the first one kept, so that it shows as a repeat; what nobody signed is left over.
func (c *trial) match() (promises []*promise, unsigned []entry) {
	promises = c.promises()
	for _, e := range c.finals() {
		p := pick(promises, e)
		if p == nil {
			unsigned = append(unsigned, e)
			continue
		}
		p.kept = append(p.kept, e)
	}
	return promises, unsigned
}

func pick(promises []*promise, e entry) *promise {
	var open []*promise
	for _, p := range promises {
		if p.Action != actionOf(e) || !p.names(e) {
			continue
		}
		if slices.ContainsFunc(p.kept, func(k entry) bool { return k.Method == e.Method && k.Path == e.Path }) {
			return p
		}
		if len(p.kept) == 0 {
			open = append(open, p)
		}
	}
	// A request that was voided may have promised the same call as the one that was asked anew.
	for _, p := range open {
		if p.executed() {
			return p
		}
	}
	if len(open) > 0 {
		return open[0]
	}
	return nil
}

func (p *promise) executed() bool {
	return p.state == "done" || p.state == "failed" || p.state == "executing"
}

// names reports whether the plan's target is what the call hit; a plan that was not told fits by its action alone.
func (p *promise) names(e entry) bool {
	if p.Target == "" {
		return true
	}
	if p.Action != "dependent.update" {
		return e.Key != "" && strings.Contains(p.Target, e.Key)
	}
	part := strings.Split(strings.TrimPrefix(e.Path, "/repos/"), "/")
	name := part[len(part)-1]
	if !strings.Contains(p.Target, "/") { // the inventory calls it by a name of its own
		return true
	}
	return strings.Contains(p.Target, part[0]+"/"+part[1]) && strings.Contains(p.Target, name)
}

func (p *promise) String() string {
	return fmt.Sprintf("%s of step %q in request %s", p.Action, p.Step, p.request)
}
