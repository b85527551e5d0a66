package activities

import (
	"net/http/httptest"
	"testing"

	"github.com/tourniquet-ir/tourniquet/integrations/paging/pagerduty"
	"github.com/tourniquet-ir/tourniquet/internal/sandbox"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
	"github.com/tourniquet-ir/tourniquet/internal/wire"
)

func (b *bench) withPager(t *testing.T) *sandbox.PagerDuty {
	t.Helper()
	pd := b.world.PagerDuty()
	srv := httptest.NewServer(pd)
	t.Cleanup(srv.Close)
	b.h.Pager = must(pagerduty.New(pagerduty.Options{RoutingKey: pd.RoutingKey(), Endpoint: srv.URL}))(t)
	return pd
}

func TestAPageIsQuietedWhenPeopleHaveDecided(t *testing.T) {
	t.Parallel()
	b := build(t)
	pd := b.withPager(t)
	g := b.grant(t, b.call("key.revoke", "key", nil))
	remind := wire.Remind{Run: "run-1", Request: g.Request, Group: "secops_lead", Why: "still waits"}
	if _, err := b.env.ExecuteActivity(wire.RemindSignoff, remind); err != nil {
		t.Fatal(err)
	}
	dedup := g.Request + "/secops_lead"
	for _, step := range []struct{ state, want string }{
		{signoff.StateOpen, sandbox.PageTriggered}, {signoff.StateExecuting, sandbox.PageAcknowledged}, {signoff.StateDone, sandbox.PageResolved},
	} {
		if _, err := b.env.ExecuteActivity(wire.SettleSignoff, wire.Settle{Run: "run-1", Request: g.Request, State: step.state}); err != nil {
			t.Fatal(err)
		}
		if got := pd.Page(dedup); got != step.want {
			t.Errorf("in state %s the page is %q, want %q", step.state, got, step.want)
		}
	}
}

func TestClosingTheIncidentResolvesWhatItsRunPaged(t *testing.T) {
	t.Parallel()
	b := build(t)
	pd := b.withPager(t)
	page := b.call("people.page", "key", nil)
	page.With = map[string]any{"group": "secops", "text": "the run needs you"}
	b.done(t, page)
	dedup := page.Run + "/" + page.Step
	if pd.Page(dedup) != sandbox.PageTriggered {
		t.Fatal("nobody was paged")
	}
	end := b.call("incident.close", "key", nil)
	end.With = map[string]any{"summary": "over"}
	b.done(t, end)
	if got := pd.Page(dedup); got != sandbox.PageResolved {
		t.Errorf("the page is %q", got)
	}
	b.world.Fault("pagerduty", 500, 5)
	b.done(t, end) // a pager that is away holds nobody up
}
