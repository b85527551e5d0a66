package main

import (
	"bufio"
	"maps"
	"os"
	"slices"
	"strings"
)

// tally counts what the kills met.
type tally struct {
	kills, bySelf int
	cuts          map[string]bool // run and the transition that was its last when its process died
	marks         map[string]bool // phase and class of every transition seen so far
	hit           map[string]bool // those at which a process killed itself
	closing       map[string]bool // runs that have closed their records
	ended         map[string]bool // runs whose workflow has ended
}

func newTally() tally {
	return tally{cuts: map[string]bool{}, marks: map[string]bool{}, hit: map[string]bool{}, closing: map[string]bool{}, ended: map[string]bool{}}
}

// transition is one line of a trace.
type transition struct{ who, phase, class, what string }

func readTrace(path string) (all []transition, err error) {
	f, err := os.Open(path) //nolint:gosec // our own trace
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		if part := strings.Split(lines.Text(), "\t"); len(part) == 5 {
			all = append(all, transition{part[1], part[2], part[3], part[4]})
		}
	}
	return all, lines.Err()
}

// The transitions with which a run ends: it closes its records, and then its workflow is told to be over.
const (
	closes = "db closing incident *"
	over   = "temporal RespondWorkflowTaskCompleted *"
)

// add counts one life that ended with a kill: every run that was under way was cut at the last transition it had come to.
func (t *tally) add(path, mark string, bySelf bool) error {
	all, err := readTrace(path)
	if err != nil {
		return err
	}
	last := map[string]transition{}
	for _, e := range all {
		if e.class == "talk" {
			continue
		}
		t.marks[e.phase+" "+e.class] = true
		if e.who == "" {
			continue
		}
		last[e.who] = e
		switch {
		case e.phase == "after" && e.class == closes:
			t.closing[e.who] = true
		case e.phase == "after" && e.class == over && t.closing[e.who]:
			t.ended[e.who] = true
		}
	}
	for who, e := range last {
		if !t.ended[who] {
			t.cuts[who+"\t"+e.phase+"\t"+e.class+"\t"+e.what] = true
		}
	}
	t.kills++
	if bySelf {
		t.bySelf++
		t.hit[mark] = true
	}
	return nil
}

// untried are the transitions that were seen and at which no process has killed itself yet, in order.
func (t *tally) untried() (list []string) {
	for _, m := range slices.Sorted(maps.Keys(t.marks)) {
		if !t.hit[m] {
			list = append(list, m)
		}
	}
	return list
}
