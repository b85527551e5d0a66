package intake_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/intake"
)

// queue keeps alerts in memory; fates are told on the channel.
type queue struct {
	mu     sync.Mutex
	list   []database.Pending
	broken int // SetFate calls that fail
	told   chan string
}

func newQueue(sourceOf ...string) *queue {
	q := &queue{told: make(chan string, 100)}
	for i, s := range sourceOf {
		q.list = append(q.list, database.Pending{Alert: incident.Alert{ID: fmt.Sprintf("al-%d", i), Source: s}})
	}
	return q
}

func (q *queue) Undispatched(_ context.Context, limit int) ([]database.Pending, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return append([]database.Pending{}, q.list[:min(limit, len(q.list))]...), nil
}

func (q *queue) SetFate(_ context.Context, id, fate, reason, _ string) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.broken > 0 {
		q.broken--
		return errors.New("the database is locked")
	}
	for i, p := range q.list {
		if p.Alert.ID == id {
			q.list = append(q.list[:i:i], q.list[i+1:]...)
			q.told <- id + " " + fate
			return nil
		}
	}
	return fmt.Errorf("no alert %q waits", id)
}

func (q *queue) SettleAlerts(ctx context.Context, list []database.Pending, fate, reason, run string) error {
	for _, p := range list {
		if err := q.SetFate(ctx, p.Alert.ID, fate, reason, run); err != nil {
			return err
		}
	}
	return nil
}

type starter func(ctx context.Context, p database.Pending) (string, string, string, error)

func (f starter) Start(ctx context.Context, p database.Pending) (string, string, string, error) {
	return f(ctx, p)
}

func started() (string, string, string, error) { return incident.FateStarted, "", "run-1", nil }

func run(t *testing.T, q *queue, s starter, change func(*intake.DispatcherOptions)) *intake.Dispatcher {
	t.Helper()
	o := intake.DispatcherOptions{Queue: q, Starter: s, Every: time.Millisecond, MaxWait: 2 * time.Millisecond, MaxTries: 3}
	if change != nil {
		change(&o)
	}
	d := intake.NewDispatcher(o)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); d.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	return d
}

func (q *queue) wait(t *testing.T, want ...string) {
	t.Helper()
	missing := map[string]bool{}
	for _, w := range want {
		missing[w] = true
	}
	for len(missing) > 0 {
		select {
		case got := <-q.told:
			if !missing[got] {
				t.Fatalf("%q came, waiting for %v", got, missing)
			}
			delete(missing, got)
		case <-time.After(10 * time.Second):
			t.Fatalf("these never came: %v", missing)
		}
	}
}

func TestEveryStoredAlertGetsItsFate(t *testing.T) {
	t.Parallel()
	q := newQueue("a", "b", "a")
	run(t, q, func(context.Context, database.Pending) (string, string, string, error) { return started() }, nil)
	q.wait(t, "al-0 started", "al-1 started", "al-2 started")
}

func TestAPoisonedAlertIsSetAsideAndTheOthersPass(t *testing.T) {
	t.Parallel()
	for name, poison := range map[string]func() (string, string, string, error){
		"permanent": func() (string, string, string, error) {
			return "", "", "", keys.Permanent(errors.New("no playbook can be read"))
		},
		"again and again": func() (string, string, string, error) { return "", "", "", errors.New("strange") },
		"panic":           func() (string, string, string, error) { panic("a nil somewhere") },
		"no fate":         func() (string, string, string, error) { return "", "", "", nil },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			q := newQueue("a", "a")
			run(t, q, func(_ context.Context, p database.Pending) (string, string, string, error) {
				if p.Alert.ID == "al-0" {
					return poison()
				}
				return started()
			}, nil)
			q.wait(t, "al-0 set_aside", "al-1 started")
		})
	}
}

func TestAnOutageIsWaitedOutHoweverLong(t *testing.T) {
	t.Parallel()
	q := newQueue("a", "a", "b")
	var mu sync.Mutex
	calls := 0
	run(t, q, func(context.Context, database.Pending) (string, string, string, error) {
		mu.Lock()
		defer mu.Unlock()
		if calls++; calls <= 60 { // twenty times MaxTries
			return "", "", "", intake.Unavailable(errors.New("no connection"))
		}
		return started()
	}, nil)
	q.wait(t, "al-0 started", "al-1 started", "al-2 started")
}

func TestASourceThatHangsDoesNotHoldUpAnother(t *testing.T) {
	t.Parallel()
	q := newQueue("hanging", "quick")
	release := make(chan struct{})
	run(t, q, func(ctx context.Context, p database.Pending) (string, string, string, error) {
		if p.Alert.Source == "hanging" {
			select {
			case <-release:
			case <-ctx.Done():
				return "", "", "", ctx.Err()
			}
		}
		return started()
	}, nil)
	q.wait(t, "al-1 started")
	close(release)
	q.wait(t, "al-0 started")
}

func TestAFateThatCannotBeNotedIsTriedAgain(t *testing.T) {
	t.Parallel()
	q := newQueue("a")
	q.broken = 5
	run(t, q, func(context.Context, database.Pending) (string, string, string, error) { return started() }, nil)
	q.wait(t, "al-0 started")
}

func TestAWakeUpIsNotWaitedForByTheClock(t *testing.T) {
	t.Parallel()
	q := newQueue()
	d := run(t, q, func(context.Context, database.Pending) (string, string, string, error) { return started() },
		func(o *intake.DispatcherOptions) { o.Every = time.Hour })
	q.mu.Lock()
	q.list = append(q.list, database.Pending{Alert: incident.Alert{ID: "al-9", Source: "a"}})
	q.mu.Unlock()
	for range 3 {
		d.Wake()
	}
	q.wait(t, "al-9 started")
}

func TestStoppingLeavesTheAlertForTheNextTime(t *testing.T) {
	t.Parallel()
	q := newQueue("a")
	ctx, cancel := context.WithCancel(context.Background())
	d := intake.NewDispatcher(intake.DispatcherOptions{Queue: q, MaxTries: 1, Starter: starter(func(ctx context.Context, _ database.Pending) (string, string, string, error) {
		cancel()
		<-ctx.Done()
		return "", "", "", keys.Permanent(errors.New("cut off"))
	})})
	d.Run(ctx)
	if len(q.list) != 1 {
		t.Error("the alert was given a fate by our own stopping")
	}
}
