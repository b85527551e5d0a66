package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strings"
	"time"
)

// sentLine is one line of the log that the clients of a storm wrote.
type sentLine struct {
	MS      float64 `json:"ms"`
	ID      string  `json:"id"`
	Key     string  `json:"key"`
	Status  int     `json:"status"`
	Said    string  `json:"said"`
	AlertID string  `json:"alert_id"`
	Audit   bool    `json:"audit"`
	Fate    string  `json:"fate"`

	Shown   string `json:"shown"`  // a request whose card names the key
	Secret  string `json:"secret"` // where an application keeps the key
	Run     string `json:"run"`
	State   string `json:"state"`
	Outcome string `json:"outcome"`
	Ledger  string `json:"ledger"`
}

// delivery reports whether the line is about an alert on its way: not a fate, a card or a run.
func (l sentLine) delivery() bool {
	return l.Fate == "" && l.Shown == "" && l.Secret == "" && l.Run == ""
}

// tempest is a storm: what the clients were told and what the world saw.
type tempest struct {
	alerts, keys int
	p99          time.Duration
	sent         []sentLine
	world        *trial
}

func openStorm(world, sent string, s tempest) (*tempest, error) {
	s.world = &trial{}
	for path, read := range map[string]func(io.Reader) error{world: s.world.readLog, sent: s.readSent} {
		f, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		err = read(f)
		_ = f.Close()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	return &s, nil
}

func (s *tempest) readSent(r io.Reader) error {
	lines := bufio.NewScanner(r)
	for n := 1; lines.Scan(); n++ {
		var l sentLine
		if err := json.Unmarshal(lines.Bytes(), &l); err != nil || l.ID == "" {
			return fmt.Errorf("line %d is no line of a sender", n)
		}
		s.sent = append(s.sent, l)
	}
	if len(s.sent) == 0 {
		return fmt.Errorf("nothing was sent, so nothing can be judged")
	}
	return lines.Err()
}

// stormChecks are what must hold after a storm.
func stormChecks() []check[*tempest] {
	return []check[*tempest]{
		{"every alert was acknowledged", (*tempest).acknowledged},
		{"nothing that was acknowledged was lost", (*tempest).nothingLost},
		{"nothing was taken as new twice", (*tempest).nothingTwice},
		{"every alert started a run or joined one, and every key started one", (*tempest).fates},
		{"the world saw every key contained, and no other", (*tempest).contained},
		{"the world saw one ticket for each key", (*tempest).tickets},
		{"the answers came in time", (*tempest).inTime},
	}
}

// ids groups the lines of deliveries by alert, in the order of the alerts' names.
func (s *tempest) ids() (names []string, by map[string][]sentLine) {
	by = map[string][]sentLine{}
	for _, l := range s.sent {
		if !l.delivery() {
			continue
		}
		if by[l.ID] == nil {
			names = append(names, l.ID)
		}
		by[l.ID] = append(by[l.ID], l)
	}
	slices.Sort(names)
	return names, by
}

func (s *tempest) acknowledged() (problems []string) {
	names, by := s.ids()
	if len(names) != s.alerts {
		problems = append(problems, fmt.Sprintf("%d alerts were sent, %d are wanted", len(names), s.alerts))
	}
	for _, id := range names {
		if !slices.ContainsFunc(by[id], func(l sentLine) bool { return l.Status == 202 && !l.Audit }) {
			problems = append(problems, fmt.Sprintf("%s was never acknowledged", id))
		}
	}
	return few(problems)
}

// nothingLost believes the second sending: what is new then was not kept the first time.
func (s *tempest) nothingLost() (problems []string) {
	names, by := s.ids()
	for _, id := range names {
		told, again := "", false
		for _, l := range by[id] {
			switch {
			case l.Status != 202:
			case !l.Audit && told == "":
				told = l.AlertID
			case l.AlertID != told:
				problems = append(problems, fmt.Sprintf("%s was acknowledged as %s and later as %s", id, told, l.AlertID))
			}
			if l.Audit && l.Status == 202 {
				again = true
				if l.Said != "duplicate" {
					problems = append(problems, fmt.Sprintf("%s was acknowledged, and new when it came again: it had been lost", id))
				}
			}
		}
		if !again {
			problems = append(problems, fmt.Sprintf("%s was not sent again in the end, so whether it was kept is not known", id))
		}
	}
	return few(problems)
}

func (s *tempest) nothingTwice() (problems []string) {
	names, by := s.ids()
	for _, id := range names {
		fresh := 0
		for _, l := range by[id] {
			if l.Status == 202 && l.Said == "accepted" {
				fresh++
			}
		}
		if fresh > 1 {
			problems = append(problems, fmt.Sprintf("%s was taken as new %d times", id, fresh))
		}
	}
	return few(problems)
}

func (s *tempest) fates() (problems []string) {
	fates, started := map[string]string{}, map[string]int{}
	for _, l := range s.sent {
		if l.Fate == "" {
			continue
		}
		fates[l.ID] = l.Fate
		switch l.Fate {
		case "started":
			started[l.Key]++
		case "joined":
		default:
			problems = append(problems, fmt.Sprintf("the fate of %s is %q", l.ID, l.Fate))
		}
	}
	names, _ := s.ids()
	if len(fates) != len(names) {
		problems = append(problems, fmt.Sprintf("%d of %d alerts have a fate", len(fates), len(names)))
	}
	for key := range s.sentKeys() {
		if started[key] != 1 {
			problems = append(problems, fmt.Sprintf("key %s started %d runs", key, started[key]))
		}
	}
	slices.Sort(problems)
	return few(problems)
}

func (s *tempest) sentKeys() map[string]bool {
	keys := map[string]bool{}
	for _, l := range s.sent {
		if l.delivery() {
			keys[l.Key] = true
		}
	}
	return keys
}

func (s *tempest) contained() (problems []string) {
	sent, seen := s.sentKeys(), map[string]bool{}
	if len(sent) != s.keys {
		problems = append(problems, fmt.Sprintf("the alerts were about %d keys, %d are wanted", len(sent), s.keys))
	}
	for _, e := range s.world.where(func(e entry) bool { return e.Effect == "undoable" && e.obeyed() }) {
		seen[e.Key] = true
		if !sent[e.Key] {
			problems = append(problems, fmt.Sprintf("%s changed the key %q, which no alert named", e, e.Key))
		}
	}
	for key := range sent {
		if !seen[key] {
			problems = append(problems, fmt.Sprintf("the key %s was never contained", key))
		}
	}
	slices.Sort(problems)
	return few(problems)
}

func (s *tempest) tickets() []string {
	made := s.world.where(func(e entry) bool {
		return e.Service == "github" && e.Method == "POST" && strings.HasSuffix(e.Path, "/issues") && e.Status == 201
	})
	if len(made) != len(s.sentKeys()) {
		return []string{fmt.Sprintf("%d tickets were opened for %d keys", len(made), len(s.sentKeys()))}
	}
	return nil
}

// waits gives the time within which that share of the acknowledging answers came, in ms, as the clients measured it.
func (s *tempest) waits() (within func(share float64) float64, n int) {
	var times []float64
	for _, l := range s.sent {
		if l.Status == 202 && !l.Audit && l.delivery() {
			times = append(times, l.MS)
		}
	}
	slices.Sort(times)
	return func(share float64) float64 { return times[max(int(math.Ceil(share*float64(len(times))))-1, 0)] }, len(times)
}

func (s *tempest) inTime() []string {
	within, n := s.waits()
	if n == 0 {
		return []string{"nothing was acknowledged"}
	}
	if limit := float64(s.p99.Microseconds()) / 1000; limit > 0 && within(.99) > limit {
		return []string{fmt.Sprintf("99 of 100 answers came within %.1f ms, the limit is %.1f ms", within(.99), limit)}
	}
	return nil
}

// figures is the storm in a line.
func (s *tempest) figures() string {
	within, n := s.waits()
	if n == 0 {
		return "nothing was acknowledged"
	}
	runs := 0
	for _, l := range s.sent {
		if l.Fate == "started" {
			runs++
		}
	}
	return fmt.Sprintf("%d answers: half within %.1f ms, 99 of 100 within %.1f ms, the last within %.1f ms; %d runs", n, within(.5), within(.99), within(1), runs)
}

// few keeps a verdict readable: a thousand lost alerts are one kind of news.
func few(problems []string) []string {
	const most = 10
	if len(problems) > most {
		return append(problems[:most:most], fmt.Sprintf("and %d more", len(problems)-most))
	}
	return problems
}
