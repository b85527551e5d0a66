package activities

import (
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/signoff"
)

// mostPinged keeps a mention from becoming a wall of names.
const mostPinged = 20

// pinged are the chat users to mention: the members of the group that is woken, or whoever may still decide.
func (h *House) pinged(groups []string, not func(person string) bool) []string {
	var users []string
	seen := map[string]bool{}
	for _, g := range groups {
		for _, m := range h.People.Reach(g) {
			p, ok := h.People.Person(m)
			if ok && p.Slack != "" && !seen[m] && !not(m) && len(users) < mostPinged {
				seen[m] = true
				users = append(users, p.Slack)
			}
		}
	}
	return users
}

// groupsNow are the groups that may decide at this moment.
func groupsNow(rule signoff.Rule, now time.Time) []string {
	var groups []string
	for _, s := range rule.Seats {
		groups = append(groups, s.Group, s.Else)
		for _, a := range s.Also {
			if !now.Before(a.From) {
				groups = append(groups, a.Group)
			}
		}
	}
	return groups
}
