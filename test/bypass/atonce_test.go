package main

import (
	"context"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/signoff"
)

// Three people approve in the same moment, each through another door, where two are asked for: two fill the seats, the call is made
// once, and whoever came too late is told so.
func TestThreePeopleAtOnceForTwoSeatsGiveOneCall(t *testing.T) {
	t.Parallel()
	program, err := product()
	if err != nil {
		t.Fatal(err)
	}
	h, err := openHouse(t.Context(), program, wants{keys: 4, useWithin: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.close(); err != nil {
			t.Error(err)
		}
	})
	c, err := h.begin(t.Context(), "end-key")
	if err != nil {
		t.Fatal(err)
	}
	doors := []func(context.Context) (string, error){
		func(ctx context.Context) (string, error) { return c.review(ctx, slackOf("ana"), signoff.Approve, "") },
		func(ctx context.Context) (string, error) {
			a, err := c.browse(ctx, "bo", nil)
			return a.body, err
		},
		func(ctx context.Context) (string, error) {
			a, err := c.api(ctx, "cy", http.MethodPost, "/v1/signoffs/"+c.view.Request+"/decisions", map[string]string{"verb": signoff.Approve, "digest": c.view.Digest, "code": c.view.Code})
			return a.body, err
		},
	}
	var all sync.WaitGroup
	for _, door := range doors {
		all.Go(func() {
			if told, err := door(t.Context()); err != nil || told == "" {
				t.Errorf("somebody was told %q: %v", told, err)
			}
		})
	}
	all.Wait()
	if err := c.once(t.Context()); err != nil {
		t.Error(err)
	}
	if err := c.state(t.Context(), signoff.StateDone); err != nil {
		t.Error(err)
	}
	v, tries, err := c.now(t.Context())
	who := map[string]bool{} // what the run says of one that came too late is an entry of its own
	for _, try := range tries {
		who[try.Person] = true
		t.Logf("%s: accepted %v %s", try.Person, try.Accepted, try.Code)
	}
	if err != nil || v.Filled != 2 || len(who) != 3 {
		t.Errorf("%d of %d seats, attempts of %v in the records: %v", v.Filled, v.Seats, who, err)
	}
	if n := c.calls(); n != 1 {
		t.Errorf("the provider saw %d calls", n)
	}
}
