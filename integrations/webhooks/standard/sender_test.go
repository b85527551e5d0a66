package standard_test

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/integrations/webhooks"
	"github.com/tourniquet-ir/tourniquet/integrations/webhooks/standard"
	"github.com/tourniquet-ir/tourniquet/internal/outbound"
)

func secret(t *testing.T) (text string, key []byte) {
	t.Helper()
	key = make([]byte, 32)
	if _, err := rand.Read(key); err != nil {
		t.Fatal(err)
	}
	return "whsec_" + base64.StdEncoding.EncodeToString(key), key
}

func inside(t *testing.T) outbound.Guard {
	t.Helper()
	g, err := outbound.NewGuard(nil, []string{"127.0.0.1"})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

var at = time.Date(2026, 3, 4, 3, 12, 0, 0, time.UTC)

func event() webhooks.Event {
	return webhooks.Event{ID: "msg_1", Type: "incident.contained", At: at, Data: map[string]any{"run": "run-1"}}
}

func sender(t *testing.T, g outbound.Guard, url string, secrets ...string) *standard.Sender {
	t.Helper()
	s, err := standard.New(g, []standard.Receiver{{Name: "soar", URL: url, Secrets: secrets}}, func() time.Time { return at })
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestAReceiverCanCheckWhoSentWhatAndWhen(t *testing.T) {
	t.Parallel()
	old, oldKey := secret(t)
	next, nextKey := secret(t)
	var got *http.Request
	var body []byte
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		got = r
		body, _ = io.ReadAll(r.Body)
	}))
	defer srv.Close()
	if err := sender(t, inside(t), srv.URL, old, next).Send(t.Context(), "soar", event()); err != nil {
		t.Fatal(err)
	}
	signatures := strings.Fields(got.Header.Get("webhook-signature"))
	if got.Header.Get("webhook-id") != "msg_1" || got.Header.Get("webhook-timestamp") != "1772593920" || len(signatures) != 2 {
		t.Fatalf("%v", got.Header)
	}
	for i, key := range [][]byte{oldKey, nextKey} {
		mac := hmac.New(sha256.New, key)
		_, _ = mac.Write([]byte("msg_1.1772593920." + string(body)))
		if want := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil)); signatures[i] != want {
			t.Errorf("signature %d is %q, want %q", i, signatures[i], want)
		}
	}
	var told map[string]any
	if err := json.Unmarshal(body, &told); err != nil || told["type"] != "incident.contained" || told["timestamp"] != "2026-03-04T03:12:00Z" {
		t.Errorf("%s %v", body, err)
	}
}

func TestAnswersHaveTheirClass(t *testing.T) {
	t.Parallel()
	text, _ := secret(t)
	for status, c := range map[int]struct{ good, permanent bool }{
		200: {true, false}, 204: {true, false}, 302: {false, true}, 400: {false, true}, 401: {false, true}, 404: {false, true}, 410: {false, true},
		408: {false, false}, 429: {false, false}, 500: {false, false}, 503: {false, false},
	} {
		srv := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
			rw.Header().Set("Location", "http://127.0.0.1:1/")
			rw.WriteHeader(status)
			_, _ = io.WriteString(rw, text)
		}))
		err := sender(t, inside(t), srv.URL+"/hook?token=hidden", text).Send(t.Context(), "soar", event())
		if (err == nil) != c.good || keys.IsPermanent(err) != c.permanent {
			t.Errorf("%d: %v", status, err)
		}
		if err != nil && (strings.Contains(err.Error(), "hidden") || strings.Contains(err.Error(), text)) {
			t.Errorf("%d: the error shows too much: %v", status, err)
		}
		srv.Close()
	}
}

func TestSilenceAndALostAnswerMayBeTriedAgain(t *testing.T) {
	t.Parallel()
	text, _ := secret(t)
	for name, answer := range map[string]http.HandlerFunc{
		"lost": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"silent": func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			<-r.Context().Done()
		},
	} {
		srv := httptest.NewServer(answer)
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		err := sender(t, inside(t), srv.URL, text).Send(ctx, "soar", event())
		if err == nil || keys.IsPermanent(err) || strings.Contains(err.Error(), "127.0.0.1") || name == "silent" && !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v", name, err)
		}
		cancel()
		srv.Close()
	}
}

func TestNothingLeadsInside(t *testing.T) {
	t.Parallel()
	text, _ := secret(t)
	called := false
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { called = true }))
	defer srv.Close()
	err := sender(t, outbound.Guard{}, srv.URL, text).Send(t.Context(), "soar", event())
	if !errors.Is(err, outbound.ErrRefused) || !keys.IsPermanent(err) || called {
		t.Errorf("%v", err)
	}
}

func TestReceiversThatCannotBeAreRefused(t *testing.T) {
	t.Parallel()
	text, _ := secret(t)
	only, err := outbound.NewGuard([]string{"hooks.example.com"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range []standard.Receiver{
		{Name: "a", URL: "https://other.example/", Secrets: []string{text}}, {Name: "a", URL: "https://hooks.example.com/"},
		{Name: "a", URL: "https://hooks.example.com/", Secrets: []string{"short"}}, {Name: "a", URL: "https://hooks.example.com/", Secrets: []string{"whsec_AAAA"}},
	} {
		if _, err := standard.New(only, []standard.Receiver{r}, time.Now); err == nil || strings.Contains(err.Error(), "short") {
			t.Errorf("%+v: %v", r, err)
		}
	}
	s := sender(t, only, "https://hooks.example.com/", text)
	if err := s.Send(t.Context(), "nobody", event()); !keys.IsPermanent(err) || !strings.Contains(err.Error(), "soar") {
		t.Errorf("%v", err)
	}
	big := event()
	big.Data["text"] = strings.Repeat("x", 300<<10)
	if err := s.Send(t.Context(), "soar", big); !keys.IsPermanent(err) {
		t.Errorf("%v", err)
	}
}
