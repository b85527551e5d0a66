package main

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/people"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
)

// askSeats is how long the start waits for the chat service to say who is in a group.
const askSeats = 10 * time.Second

// checkSeats stops the start where the groups, as chat keeps them now, cannot fill a seat of the policy whoever is excluded.
// Chat that does not answer stops nothing: every request is checked again when it is frozen.
func checkSeats(s settings, d *people.Directory) error {
	if s.Config.Mode != incident.ModeEnforce {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), askSeats)
	defer cancel()
	sizes := map[string]int{}
	for name := range s.Config.Groups {
		members, _, err := d.Members(ctx, name)
		if err != nil {
			s.Log.Warn("whether the seats of the policy can be filled is not known yet", "group", name, "error", err)
			return nil
		}
		sizes[name] = len(members)
	}
	err, always := unfillable(s.Config.Policy, sizes)
	switch {
	case err == nil:
	case always:
		return fmt.Errorf("the groups cannot fill the seats of the policy: %s; add people, or ask for fewer", strings.ReplaceAll(err.Error(), "\n", "; "))
	default:
		s.Log.Warn("some seats cannot be filled when the people with a part in an incident are of the same group", "reason", err.Error())
	}
	return nil
}

// unfillable says what the sizes of the groups keep from being filled, and whether that is so whoever is excluded. Who
// that is, is only known in an incident.
func unfillable(p signoff.Policy, sizes map[string]int) (fault error, always bool) {
	if fault = p.Validate(sizes); fault == nil {
		return nil, false
	}
	outsiders := maps.Clone(sizes)
	for name, n := range outsiders {
		if n > 0 {
			outsiders[name] = n + len([]string{signoff.PartStarter, signoff.PartKeyOwner})
		}
	}
	return fault, p.Validate(outsiders) != nil
}
