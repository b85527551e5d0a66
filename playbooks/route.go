package playbooks

import (
	"fmt"
	"time"
)

// Verdict is what one playbook says to an alert.
type Verdict struct {
	Playbook string `json:"playbook"`
	Priority int    `json:"priority"`
	Answers  bool   `json:"answers"` // its trigger holds
	Picked   bool   `json:"picked"`  // and no other goes before it
	Why      string `json:"why"`
}

// Route asks every playbook that has a trigger. At most one is picked: of those that answer, the one with the highest
// priority, and of several the first in the list. env holds the alert; namesKey says whether it can lead to a key.
func Route(programs []*Program, env map[string]any, namesKey bool, now time.Time) (picked *Program, all []Verdict) {
	for _, p := range programs {
		if p.Trigger == "" {
			continue
		}
		v := verdict(p, env, namesKey, now)
		if v.Answers && (picked == nil || p.Priority > picked.Priority) {
			picked = p
		}
		all = append(all, v)
	}
	for i, v := range all {
		switch {
		case picked == nil || !v.Answers:
		case v.Playbook == picked.ID:
			all[i].Picked = true
		case v.Priority == picked.Priority:
			all[i].Why = fmt.Sprintf("its trigger holds, but %s comes first; give one of them a higher trigger.priority", picked.ID)
		default:
			all[i].Why = fmt.Sprintf("its trigger holds, but %s has the priority %d and this one %d", picked.ID, picked.Priority, v.Priority)
		}
	}
	return picked, all
}

func verdict(p *Program, env map[string]any, namesKey bool, now time.Time) Verdict {
	v := Verdict{Playbook: p.ID, Priority: p.Priority}
	if p.NeedsKey && !namesKey {
		v.Why = "the alert names no key"
		return v
	}
	ok, err := Trigger(p, env, now)
	switch {
	case err != nil:
		v.Why = err.Error()
	case !ok:
		v.Why = "its trigger is false"
	default:
		v.Answers, v.Why = true, "its trigger holds"
	}
	return v
}
