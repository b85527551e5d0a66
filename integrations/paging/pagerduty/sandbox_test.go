package pagerduty_test

import (
	"net/http/httptest"
	"testing"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/integrations/paging/pagerduty"
	"github.com/tourniquet-ir/tourniquet/internal/sandbox"
)

func TestAPageIsTriggeredAcknowledgedAndResolved(t *testing.T) {
	t.Parallel()
	pd := sandbox.NewWorld(sandbox.Options{}).PagerDuty()
	srv := httptest.NewServer(pd)
	defer srv.Close()
	p, err := pagerduty.New(pagerduty.Options{RoutingKey: pd.RoutingKey(), Endpoint: srv.URL})
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		do   func() error
		want string
	}{
		{func() error { return p.Page(t.Context(), "so-1", "a key is spent", []string{"ana"}) }, sandbox.PageTriggered},
		{func() error { return p.Page(t.Context(), "so-1", "a key is spent", nil) }, sandbox.PageTriggered},
		{func() error { return p.Acknowledge(t.Context(), "so-1") }, sandbox.PageAcknowledged},
		{func() error { return p.Resolve(t.Context(), "so-1") }, sandbox.PageResolved},
		{func() error { return p.Acknowledge(t.Context(), "so-1") }, sandbox.PageResolved},
	} {
		if err := step.do(); err != nil || pd.Page("so-1") != step.want {
			t.Errorf("%q, want %q: %v", pd.Page("so-1"), step.want, err)
		}
	}
	if err := p.Acknowledge(t.Context(), ""); !keys.IsPermanent(err) {
		t.Errorf("nothing was acknowledged: %v", err)
	}
	wrong, err := pagerduty.New(pagerduty.Options{RoutingKey: "0123456789abcdef0123456789abcdef", Endpoint: srv.URL})
	if err != nil {
		t.Fatal(err)
	}
	if err := wrong.Page(t.Context(), "so-2", "x", nil); !keys.IsPermanent(err) {
		t.Errorf("a wrong routing key: %v", err)
	}
}
