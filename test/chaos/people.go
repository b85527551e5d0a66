package main

import (
	"context"
	"regexp"
	"strings"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/sandbox"
	"github.com/tourniquet-ir/tourniquet/test/rig"
)

// decide has two people press whatever asks for them until ctx ends. Who still sees buttons after a while presses again, as
// people do whose tap was lost with the process that should have taken it.
func (w *world) decide(ctx context.Context) {
	var people []sandbox.ScriptedPerson
	for i, id := range []string{sandbox.UserAna, sandbox.UserBo} {
		people = append(people, sandbox.ScriptedPerson{User: id, After: time.Duration(30+20*i) * time.Millisecond, Answer: "abuse Retry"})
	}
	w.slack.Insist(ctx, sandbox.Script{People: people}, 1500*time.Millisecond)
}

var requestIn = regexp.MustCompile(`\\"request\\":\\"([^"\\]+)\\"`)

// read looks at every card in Slack until ctx ends and writes down which stolen key it shows: people sign what they see.
func (w *world) read(ctx context.Context, s *rig.Sender) {
	named := map[string]string{}
	for i, k := range w.keys {
		named[k], named[secretName(i)] = k, k
	}
	done := map[string]bool{}
	for {
		changed := w.slack.Changed()
		for _, m := range w.slack.Messages() {
			if done[m.TS] {
				continue
			}
			at := requestIn.FindStringSubmatch(string(m.Blocks))
			if at == nil {
				continue
			}
			done[m.TS] = true
			for name, key := range named {
				if strings.Contains(string(m.Blocks), name) {
					s.Write(rig.Line{ID: "card", Key: key, Shown: at[1]})
				}
			}
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return
		}
	}
}
