package pagerduty_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/integrations/paging/pagerduty"
)

// events refuses what PagerDuty's Events API refuses and keeps what it takes, by dedup key.
type events struct {
	mu     sync.Mutex
	status int // answered instead when not 0
	open   map[string]string
	last   map[string]any
	calls  int
}

func (e *events) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.calls++
	raw, _ := io.ReadAll(r.Body)
	var b struct {
		RoutingKey string `json:"routing_key"`
		Action     string `json:"event_action"`
		Dedup      string `json:"dedup_key"`
		Payload    *struct{ Summary, Source, Severity string }
	}
	bad := json.Unmarshal(raw, &b) != nil || r.Method != http.MethodPost || r.URL.Path != "/v2/enqueue" ||
		len(b.RoutingKey) != 32 || len(b.Dedup) > 255 || b.Payload != nil && len([]rune(b.Payload.Summary)) > 1024
	if b.Action == "trigger" && (b.Payload == nil || b.Payload.Summary == "" || b.Payload.Source == "" || b.Payload.Severity != "critical") {
		bad = true
	}
	switch {
	case e.status != 0:
		w.WriteHeader(e.status)
		_, _ = w.Write([]byte(`{"status":"x","message":"echo ` + b.RoutingKey + `","errors":["echo ` + b.RoutingKey + `"]}`))
		return
	case bad:
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, `{"status":"invalid event","message":"Event object is invalid","errors":["bad"]}`)
		return
	case b.Action == "trigger":
		e.open[b.Dedup] = b.Payload.Summary
	case b.Action == "resolve":
		delete(e.open, b.Dedup)
	}
	_ = json.Unmarshal(raw, &e.last)
	w.WriteHeader(http.StatusAccepted)
	_, _ = io.WriteString(w, `{"status":"success","message":"Event processed","dedup_key":"`+b.Dedup+`"}`)
}

func start(t *testing.T) (*events, *pagerduty.Pager, string) {
	t.Helper()
	e := &events{open: map[string]string{}}
	srv := httptest.NewServer(e)
	t.Cleanup(srv.Close)
	key := strings.Repeat("r0", 16)
	p, err := pagerduty.New(pagerduty.Options{RoutingKey: key, Endpoint: srv.URL})
	if err != nil {
		t.Fatal(err)
	}
	return e, p, key
}

func TestAPageIsOpenedOnceAndResolved(t *testing.T) {
	t.Parallel()
	e, p, _ := start(t)
	long := strings.Repeat("d", 400)
	for range 2 {
		if err := p.Page(context.Background(), long, "Key stolen\n"+strings.Repeat("x", 2000), []string{"anna"}); err != nil {
			t.Fatal(err)
		}
	}
	if len(e.open) != 1 {
		t.Errorf("%d pages are open", len(e.open))
	}
	if err := p.Resolve(context.Background(), long); err != nil || len(e.open) != 0 {
		t.Errorf("%d pages stay open: %v", len(e.open), err)
	}
	if err := p.Page(context.Background(), "d", " \n", nil); !keys.IsPermanent(err) || e.calls != 3 {
		t.Errorf("a page without words: %v after %d calls", err, e.calls)
	}
}

func TestAnswersAreSortedIntoRetryAndParkWithoutTheRoutingKey(t *testing.T) {
	t.Parallel()
	for status, permanent := range map[int]bool{400: true, 403: true, 404: true, 408: false, 429: false, 500: false, 503: false} {
		e, p, key := start(t)
		e.status = status
		err := p.Page(context.Background(), "d", "s", nil)
		if err == nil || keys.IsPermanent(err) != permanent {
			t.Errorf("%d: %v", status, err)
		} else if strings.Contains(err.Error(), key) {
			t.Errorf("%d: the error shows the routing key", status)
		}
	}
}

func TestAPagerThatCannotBeReachedIsRetried(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(http.NotFoundHandler())
	srv.Close()
	p, err := pagerduty.New(pagerduty.Options{RoutingKey: strings.Repeat("r0", 16), Endpoint: srv.URL})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Page(context.Background(), "d", "s", nil); err == nil || keys.IsPermanent(err) || strings.Contains(err.Error(), "http://") {
		t.Errorf("got %v", err)
	}
	for _, o := range []pagerduty.Options{{}, {RoutingKey: "x", Endpoint: "nothing"}, {RoutingKey: "x", Endpoint: "https://u:p@h"}} {
		if _, err := pagerduty.New(o); err == nil {
			t.Errorf("%+v was taken", o)
		}
	}
}
