package main

import (
	"bufio"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
)

// tally counts what the kills met.
type tally struct {
	kills, bySelf int             // of processes of the product
	others        int             // of the engine and of PostgreSQL
	cuts          map[string]bool // run and the transition that was its last when its process died
	marks         map[string]bool // role, phase and class of every transition seen so far
	hit           map[string]bool // those at which a process killed itself
	closing       map[string]bool // runs that have closed their records
	ended         map[string]bool // runs whose workflow has ended
}

func newTally() tally {
	return tally{cuts: map[string]bool{}, marks: map[string]bool{}, hit: map[string]bool{}, closing: map[string]bool{}, ended: map[string]bool{}}
}

// transition is one line of a trace.
type transition struct {
	at                      int64 // microseconds
	who, phase, class, what string
}

func readTrace(path string) (all []transition, err error) {
	f, err := os.Open(path) //nolint:gosec // our own trace
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		if part := strings.Split(lines.Text(), "\t"); len(part) == 5 {
			at, _ := strconv.ParseInt(part[0], 10, 64) // a line of our own hook
			all = append(all, transition{at, part[1], part[2], part[3], part[4]})
		}
	}
	return all, lines.Err()
}

// The transitions with which a run ends: it closes its records, and then its workflow is told to be over.
const (
	closes = "db closing incident *"
	over   = "temporal RespondWorkflowTaskCompleted *"
)

// add counts one life of a process that ended with a kill: every run that was under way was cut at the last transition it had
// come to there. Where processes share the work, a run counts only where it was a moment ago.
func (t *tally) add(path, mark string, bySelf bool, role string) error {
	all, err := readTrace(path)
	if err != nil {
		return err
	}
	last := map[string]transition{}
	for _, e := range all {
		if e.class == "talk" {
			continue
		}
		t.marks[role+"\t"+e.phase+" "+e.class] = true
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
		if !t.ended[who] && (role == "" || all[len(all)-1].at-e.at < 2_000_000) {
			t.cuts[who+"\t"+e.phase+"\t"+e.class+"\t"+e.what] = true
		}
	}
	t.kills++
	if bySelf {
		t.bySelf++
		t.hit[role+"\t"+mark] = true
	}
	return nil
}

// untried are the transitions that were seen in processes of a role and at which none has killed itself yet, in order.
func (t *tally) untried(role string) (list []string) {
	for _, m := range slices.Sorted(maps.Keys(t.marks)) {
		if of, mark, _ := strings.Cut(m, "\t"); of == role && !t.hit[m] {
			list = append(list, mark)
		}
	}
	return list
}
