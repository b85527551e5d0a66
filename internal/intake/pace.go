package intake

import (
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/database"
)

// pace gathers a storm about one incident: a few hand-overs go at once, more wait for each other.
type pace struct {
	left int
	at   time.Time // when one more is allowed
}

type trial struct {
	failed int // for reasons of its own: outages do not count
	wait   time.Duration
	next   time.Time
}

// due takes the idle sources' alerts whose pause is over, and forgets trials of alerts that have their fate.
func (d *Dispatcher) due(waiting []database.Pending) map[string][]database.Pending {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := d.o.Now()
	lists, alive, paced := map[string][]database.Pending{}, map[string]bool{}, map[string]bool{}
	for _, p := range waiting {
		alive[p.Alert.ID] = true
		t := d.tries[p.Alert.ID]
		if d.busy[p.Alert.Source] || t != nil && now.Before(t.next) {
			continue
		}
		if p.Incident != "" && !p.NewIncident {
			may, seen := paced[p.Incident]
			if !seen {
				may = d.mayHand(p.Incident, now)
				paced[p.Incident] = may
			}
			if !may {
				continue
			}
		}
		lists[p.Alert.Source] = append(lists[p.Alert.Source], p)
	}
	for id := range d.tries {
		if !alive[id] && len(waiting) < batch {
			delete(d.tries, id)
		}
	}
	for id, p := range d.paces {
		if now.Sub(p.at) > burst*d.o.Gather {
			delete(d.paces, id)
		}
	}
	for source := range lists {
		d.busy[source] = true
	}
	return lists
}

// mayHand takes one hand-over off the pace of an incident.
func (d *Dispatcher) mayHand(incident string, now time.Time) bool {
	p := d.paces[incident]
	if p == nil {
		p = &pace{left: burst, at: now}
		d.paces[incident] = p
	}
	if p.left > 0 {
		p.left--
		p.at = now.Add(d.o.Gather)
		return true
	}
	if now.Before(p.at) {
		return false
	}
	p.at = now.Add(d.o.Gather)
	return true
}
