package intake_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/tourniquet-ir/tourniquet/integrations/sources"
	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/intake"
)

func TestRefusalsAreProblemDocumentsWithTheirStatus(t *testing.T) {
	t.Parallel()
	r := open(t, nil)
	for _, c := range []struct {
		name, source, body string
		change             func(*http.Request)
		code               int
	}{
		{"no token", "generic", "{}", func(q *http.Request) { q.Header.Del("Authorization") }, 401},
		{"wrong token", "generic", "{}", func(q *http.Request) { q.Header.Set("Authorization", "Bearer x") }, 401},
		{"unknown source", "nobody", "{}", nil, 401},
		{"unsigned webhook", "github", "{}", nil, 401},
		{"large", "generic", strings.Repeat("x", sources.MaxBody+1), nil, 413},
		{"form", "generic", "{}", func(q *http.Request) { q.Header.Set("Content-Type", "text/plain") }, 415},
		{"not JSON", "generic", "hello", nil, 422},
		{"not ours", "generic", `{"id":"1"}`, nil, 422},
	} {
		a := r.post(t, c.source, c.body, c.change)
		if a.code != c.code || a.Detail == "" || a.header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: %+v", c.name, a)
		}
		if c.code == 401 && a.Detail != sources.ErrUnauthenticated.Reason {
			t.Errorf("%s: the 401 says more than others: %q", c.name, a.Detail)
		}
	}
	if list, err := r.db.Undispatched(context.Background(), 1); err != nil || len(list) != 0 {
		t.Errorf("something was stored: %+v, %v", list, err)
	}
}

// broken fails where told.
type broken struct {
	intake.Store
	seal, store error
}

func (b broken) PutSealed(ctx context.Context, h string, s []byte, run string) (incident.SecretRef, error) {
	if b.seal != nil {
		return incident.SecretRef{}, b.seal
	}
	return b.Store.PutSealed(ctx, h, s, run)
}

func (b broken) StoreAlerts(ctx context.Context, f incident.Finding, l []database.Incoming) ([]database.Stored, error) {
	if b.store != nil {
		return nil, b.store
	}
	return b.Store.StoreAlerts(ctx, f, l)
}

func TestStoreTroubleAsksTheSenderToComeAgain(t *testing.T) {
	t.Parallel()
	disk := errors.New("the disk is full at /secret/place")
	for _, b := range []broken{{seal: disk}, {store: disk}} {
		r := open(t, func(o *intake.Options) { b.Store = o.Store; o.Store = b })
		a := r.post(t, "generic", generic("1", text(t)), nil)
		if a.code != 503 || a.header.Get("Retry-After") == "" || strings.Contains(a.Detail, "/secret/place") {
			t.Errorf("%+v", a)
		}
		if r.woken != 0 {
			t.Error("the dispatcher was woken for nothing")
		}
	}
}

// slow holds every delivery until released.
type slow struct {
	intake.Store
	in, out chan struct{}
}

func (s slow) StoreAlerts(ctx context.Context, f incident.Finding, l []database.Incoming) ([]database.Stored, error) {
	s.in <- struct{}{}
	<-s.out
	return s.Store.StoreAlerts(ctx, f, l)
}

func TestTooManyDeliveriesAtOnceAreTurnedAwayNotDropped(t *testing.T) {
	t.Parallel()
	s := slow{in: make(chan struct{}), out: make(chan struct{})}
	r := open(t, func(o *intake.Options) { s.Store = o.Store; o.Store = s; o.Parallel = 1 })
	var wg sync.WaitGroup
	wg.Go(func() {
		if a := r.post(t, "generic", generic("1", text(t)), nil); a.code != 202 {
			t.Errorf("the first: %+v", a)
		}
	})
	<-s.in
	if a := r.post(t, "generic", generic("2", text(t)), nil); a.code != 503 || a.header.Get("Retry-After") == "" {
		t.Errorf("the second: %+v", a)
	}
	close(s.out)
	wg.Wait()
}

func TestTheFateOfAnAlertIsForThoseWhoMayRead(t *testing.T) {
	t.Parallel()
	r := open(t, nil)
	a := r.post(t, "generic", generic("1", text(t)), nil)
	get := func(id, token string) got {
		req, err := http.NewRequest(http.MethodGet, r.url+"/v1/alerts/"+id, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+token)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = resp.Body.Close() }()
		return read(t, resp.StatusCode, resp.Header, resp.Body)
	}
	if f := get(a.AlertID, r.token); f.code != 200 || f.Status != incident.FateStored || f.AlertID != a.AlertID {
		t.Errorf("%+v", f)
	}
	if f := get("al-nothing", r.token); f.code != 404 {
		t.Errorf("%+v", f)
	}
	if f := get(a.AlertID, "x"); f.code != 401 {
		t.Errorf("%+v", f)
	}
}

func TestAPingIsAnsweredAndNotStored(t *testing.T) {
	t.Parallel()
	always := authFunc(func(sources.Request) error { return nil })
	r := open(t, func(o *intake.Options) {
		c := o.Sources["github"]
		c.Auth = always
		o.Sources["github"] = c
	})
	a := r.post(t, "github", `{"zen":"x"}`, func(q *http.Request) { q.Header.Set("X-GitHub-Event", "ping") })
	if a.code != 202 || a.Status != "ignored" || a.AlertID != "" {
		t.Errorf("%+v", a)
	}
}

type authFunc func(sources.Request) error

func (f authFunc) Check(_ context.Context, r sources.Request) error { return f(r) }

func TestADoorWithoutALockIsNotOpened(t *testing.T) {
	t.Parallel()
	always := authFunc(func(sources.Request) error { return nil })
	for name, c := range map[string]intake.Configured{
		"no auth":    {Source: sources.NewGeneric(), Trust: incident.TrustAct},
		"no decoder": {Auth: always, Trust: incident.TrustAct},
		"no trust":   {Source: sources.NewGeneric(), Auth: always},
	} {
		_, err := intake.New(intake.Options{Store: broken{}, Box: constant{}, Sources: map[string]intake.Configured{"x": c}})
		if err == nil {
			t.Errorf("%s was taken", name)
		}
	}
}

type constant struct{}

func (constant) KeyedHash([]byte) string { return "hash" }
