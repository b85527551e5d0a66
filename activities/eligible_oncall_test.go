package activities

import (
	"net/http/httptest"
	"testing"
	"time"

	"github.com/tourniquet-ir/tourniquet/integrations/paging/pagerduty"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/people"
	"github.com/tourniquet-ir/tourniquet/internal/sandbox"
	"github.com/tourniquet-ir/tourniquet/internal/wire"
)

// onCall makes secops whoever is on call at the sandbox's PagerDuty.
func (b *bench) onCall(t *testing.T) *sandbox.PagerDuty {
	t.Helper()
	pd := b.world.PagerDuty()
	pd.SetOnCall("PDAY", "PSEC", 1, "PANN", "PBOB")
	srv := httptest.NewServer(pd)
	t.Cleanup(srv.Close)
	crew := []incident.Person{{ID: "ann", PagerDuty: "PANN"}, {ID: "bob", PagerDuty: "PBOB"}, {ID: "cem", PagerDuty: "PCEM"}}
	dir := must(people.New(crew, map[string]people.Group{"secops": {OnCall: &people.OnCall{Policy: "PSEC"}}}, nil, func() time.Time { return b.h.Now() }))(t)
	dir.Ask(must(pagerduty.NewRoster(pagerduty.RosterOptions{Token: pd.Token(), Endpoint: srv.URL}))(t))
	b.h.People = dir
	return pd
}

func TestAChangeOfShiftBetweenApprovalAndCallIsNoticed(t *testing.T) {
	t.Parallel()
	for name, changed := range map[string]bool{"the same people are on call": false, "bob's shift is over": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := build(t)
			pd := b.onCall(t)
			c := b.call("key.revoke", "key", nil)
			g := b.grant(t, c, "ann", "bob")
			c.Grant = &g
			if !changed {
				b.done(t, c)
				return
			}
			pd.SetOnCall("PDAY", "PSEC", 1, "PANN", "PCEM")
			later := time.Now().Add(31 * time.Second) // what was remembered is forgotten
			b.h.Now = func() time.Time { return later }
			_, err := b.do(t, c)
			refused(t, err, wire.ErrDrifted)
			b.untouched(t)
		})
	}
}
