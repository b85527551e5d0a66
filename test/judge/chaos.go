package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// A chaos is judged as a storm is, and by what people saw and pressed in Slack: the sender's log says which request showed
// which key, and which run there was for it in the end.

func chaosChecks() []check[*tempest] {
	return []check[*tempest]{
		{"every alert was acknowledged", (*tempest).acknowledged},
		{"nothing that was acknowledged was lost", (*tempest).nothingLost},
		{"nothing was taken as new twice", (*tempest).nothingTwice},
		{"every acknowledged alert has its run, and every key only one", (*tempest).fates},
		{"the world saw every key contained, and no other but those that replace one", (*tempest).containedOrMade},
		{"every final call was made at most once", (*tempest).finalsOnce},
		{"no final call before two people had approved a card that shows its key", (*tempest).finalsSigned},
		{"every run has ended, for people answer whatever they are asked", (*tempest).ended},
		{"what a run says it did, the world saw: each key deleted and each secret replaced, once", (*tempest).finalsMade},
		{"the ledger of every run is whole", (*tempest).ledgers},
	}
}

// target is what such a call hit: a key, or the secret of an application.
func (e entry) target() string {
	if e.Service == "github" {
		return e.Path[strings.LastIndex(e.Path, "/")+1:]
	}
	return e.Key
}

// ours are keys that the product made itself; one that an interrupted attempt left behind it may delete alone.
func (s *tempest) ours() map[string]bool {
	made := map[string]bool{}
	for _, e := range s.world.where(func(e entry) bool {
		return e.Service == "apikeys" && e.Method == "POST" && strings.HasSuffix(e.Path, "/keys") && e.obeyed()
	}) {
		made[e.Key] = true
	}
	return made
}

// containedOrMade is contained, for a product that may also make keys.
func (s *tempest) containedOrMade() []string {
	made := s.ours()
	without := *s
	without.world = &trial{log: s.world.where(func(e entry) bool { return !made[e.Key] })}
	return without.contained()
}

func (s *tempest) finalsOnce() (problems []string) {
	count := map[string]int{}
	for _, e := range s.world.finals() {
		count[e.Method+" "+e.target()]++
	}
	for _, call := range slices.Sorted(maps.Keys(count)) {
		if count[call] > 1 {
			problems = append(problems, fmt.Sprintf("%s was made %d times", call, count[call]))
		}
	}
	return few(problems)
}

// shown maps keys and the secrets that hold them to the requests whose cards showed them.
func (s *tempest) shown() map[string][]string {
	cards := map[string][]string{}
	for _, l := range s.sent {
		if l.Shown != "" {
			cards[l.Key] = append(cards[l.Key], l.Shown)
		}
	}
	return cards
}

func (s *tempest) finalsSigned() (problems []string) {
	cards, made := s.shown(), s.ours()
	secrets := map[string]string{} // secret -> key
	for _, l := range s.sent {
		if l.Secret != "" {
			secrets[l.Secret] = l.Key
		}
	}
	for _, e := range s.world.finals() {
		key := e.target()
		if made[key] {
			continue
		}
		if k, of := secrets[key]; of {
			key = k
		}
		most := 0
		for _, request := range cards[key] {
			most = max(most, len(s.world.approvers(request, e.T)))
		}
		if most < 2 {
			problems = append(problems, fmt.Sprintf("%s was made when at most %d people had approved any card about %s", e, most, key))
		}
	}
	return few(problems)
}

// outcomes are what the runs said in the end, by key.
func (s *tempest) outcomes() map[string]sentLine {
	runs := map[string]sentLine{}
	for _, l := range s.sent {
		if l.Run != "" && l.Ledger == "" {
			runs[l.Key] = l
		}
	}
	return runs
}

func (s *tempest) ended() (problems []string) {
	runs := s.outcomes()
	for _, key := range slices.Sorted(maps.Keys(s.sentKeys())) {
		switch r, found := runs[key]; {
		case !found:
			problems = append(problems, fmt.Sprintf("there is no run about the key %s", key))
		case r.State != "done":
			problems = append(problems, fmt.Sprintf("%s about the key %s is still %s", r.Run, key, r.State))
		case r.Outcome != "contained":
			problems = append(problems, fmt.Sprintf("%s about the key %s ended %s, and nobody wanted that", r.Run, key, r.Outcome))
		}
	}
	return few(problems)
}

func (s *tempest) finalsMade() (problems []string) {
	hit := map[string]int{}
	for _, e := range s.world.finals() {
		hit[e.target()]++
	}
	for _, l := range s.sent {
		if r, found := s.outcomes()[l.Key]; l.Secret == "" || !found || r.State != "done" || r.Outcome != "contained" {
			continue
		}
		for _, what := range []string{l.Key, l.Secret} {
			if hit[what] != 1 {
				problems = append(problems, fmt.Sprintf("the run about the key %s says contained, and the final call on %s was made %d times", l.Key, what, hit[what]))
			}
		}
	}
	return few(problems)
}

func (s *tempest) ledgers() (problems []string) {
	read := map[string]bool{}
	for _, l := range s.sent {
		if l.Ledger == "" {
			continue
		}
		read[l.Run] = true
		if l.Ledger != "whole" {
			problems = append(problems, fmt.Sprintf("the ledger of %s: %s", l.Run, l.Ledger))
		}
	}
	for _, r := range s.outcomes() {
		if !read[r.Run] {
			problems = append(problems, fmt.Sprintf("the ledger of %s was not read", r.Run))
		}
	}
	slices.Sort(problems)
	return few(problems)
}
