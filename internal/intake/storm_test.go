package intake_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/intake"
)

// many is a starter that joins several at once and counts its hand-overs.
type many struct {
	mu    sync.Mutex
	sizes []int
	panic bool
}

func (m *many) Start(context.Context, database.Pending) (string, string, string, error) {
	return incident.FateJoined, "", "run-1", nil
}

func (m *many) Join(_ context.Context, list []database.Pending) (int, string, string, string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.panic {
		panic("one of them is hostile")
	}
	m.sizes = append(m.sizes, len(list))
	return len(list), incident.FateJoined, "", "run-1", nil
}

func (q *queue) drained(t *testing.T, n int) {
	t.Helper()
	for i := range n {
		select {
		case <-q.told:
		case <-time.After(20 * time.Second):
			t.Fatalf("only %d of %d alerts have a fate", i, n)
		}
	}
}

func TestAStormAboutOneIncidentIsGathered(t *testing.T) {
	t.Parallel()
	for name, hostile := range map[string]bool{"plain": false, "with one that crashes the joiner": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			q := &queue{told: make(chan string, 5000)}
			for i := range 1000 {
				q.list = append(q.list, database.Pending{Alert: incident.Alert{ID: fmt.Sprintf("al-%d", i), Source: "s"}, Incident: "inc-1"})
			}
			m := &many{panic: hostile}
			d := intake.NewDispatcher(intake.DispatcherOptions{Queue: q, Starter: m, Every: time.Millisecond, Gather: 5 * time.Millisecond})
			ctx, cancel := context.WithCancel(context.Background())
			done := make(chan struct{})
			go func() { defer close(done); d.Run(ctx) }()
			t.Cleanup(func() { cancel(); <-done })
			q.drained(t, 1000)
			m.mu.Lock()
			defer m.mu.Unlock()
			if !hostile && (len(m.sizes) > 3 || slices.Max(m.sizes) < 400) {
				t.Errorf("a thousand alerts were handed over as %v", m.sizes)
			}
		})
	}
}

func TestTheFirstLaterAlertsOfAnIncidentDoNotWait(t *testing.T) {
	t.Parallel()
	q := newQueue()
	d := intake.NewDispatcher(intake.DispatcherOptions{Queue: q, Starter: &many{}, Every: time.Hour, Gather: time.Hour})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); d.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	for i := range 5 {
		q.mu.Lock()
		q.list = append(q.list, database.Pending{Alert: incident.Alert{ID: fmt.Sprintf("al-%d", i), Source: "s"}, Incident: "inc-1"})
		q.mu.Unlock()
		d.Wake()
		q.wait(t, fmt.Sprintf("al-%d joined", i))
	}
	q.mu.Lock()
	q.list = append(q.list, database.Pending{Alert: incident.Alert{ID: "al-6", Source: "s"}, Incident: "inc-1"},
		database.Pending{Alert: incident.Alert{ID: "al-new", Source: "s"}, Incident: "inc-2", NewIncident: true})
	q.mu.Unlock()
	d.Wake()
	q.wait(t, "al-new joined") // a new incident never waits; the sixth of the other one does
}

func TestAHeapOfPoisonOfOneSourceHidesNoOtherSource(t *testing.T) {
	t.Parallel()
	r := open(t, nil)
	ctx := context.Background()
	for i := range 2100 {
		if _, err := r.db.StoreAlert(ctx, incident.Finding{}, incident.Alert{Source: "noisy", Fingerprint: fmt.Sprint(i)}, nil); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := r.db.StoreAlert(ctx, incident.Finding{}, incident.Alert{ID: "al-quiet", Source: "quiet", Fingerprint: "1"}, nil); err != nil {
		t.Fatal(err)
	}
	told := make(chan string, 1)
	d := intake.NewDispatcher(intake.DispatcherOptions{Queue: r.db, Every: time.Millisecond, MaxTries: 1000, Starter: starter(func(_ context.Context, p database.Pending) (string, string, string, error) {
		if p.Alert.Source == "quiet" {
			told <- p.Alert.ID
			return started()
		}
		return "", "", "", fmt.Errorf("not now: %w", context.DeadlineExceeded)
	})})
	run, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() { defer close(done); d.Run(run) }()
	t.Cleanup(func() { cancel(); <-done })
	select {
	case <-told:
	case <-time.After(20 * time.Second):
		t.Fatal("the quiet source waits behind the noisy one")
	}
}
