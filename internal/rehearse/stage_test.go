package rehearse

import (
	"io"
	"log/slog"
	"testing"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/worker"

	"github.com/tourniquet-ir/tourniquet/activities"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
)

// names collects what a house registers.
type names struct {
	worker.Registry
	all []string
}

func (n *names) RegisterActivityWithOptions(_ any, o activity.RegisterOptions) {
	n.all = append(n.all, o.Name)
}

// A workflow that calls an activity which only the real house has would hang here, and every test of a playbook with it.
func TestTheStageHasEveryActivityOfTheRealHouse(t *testing.T) {
	t.Parallel()
	h := &activities.House{Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Now: time.Now}
	if err := h.Open(); err != nil {
		t.Fatal(err)
	}
	real := &names{}
	h.Register(real)
	s, err := newStage(&Case{}, nil, activities.Catalog(), signoff.DefaultPolicy())
	if err != nil {
		t.Fatal(err)
	}
	here := map[string]bool{"watch.sweep": true} // the watch has a workflow of its own
	for name := range s.verbs() {
		here[name] = true
	}
	for _, name := range real.all {
		if !here[name] {
			t.Errorf("the stage has no %s", name)
		}
	}
}
