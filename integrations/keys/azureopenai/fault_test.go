package azureopenai_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/integrations/keys/azureopenai"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/sandbox"
)

// everything is every call of the port that talks to Azure.
func everything(ctx context.Context, h house, key incident.Key) map[string]func() error {
	return map[string]func() error{
		"identify": func() error {
			_, err := h.provider.Identify(ctx, incident.Clue{}, []byte(h.stolen.Secret()))
			return err
		},
		"state":   func() error { _, err := h.provider.State(ctx, keys.OpContain, key); return err },
		"slot":    func() error { _, err := h.provider.State(ctx, keys.OpRevoke, key); return err },
		"contain": func() error { _, err := h.provider.Contain(ctx, key); return err },
		"restore": func() error {
			_, err := h.provider.Restore(ctx, key, json.RawMessage(`{"local_auth":true}`))
			return err
		},
		"create": func() error { _, err := h.provider.Create(ctx, key, "l"); return err },
		"usage": func() error {
			_, err := h.provider.Usage(ctx, key, time.Now().Add(-time.Hour), time.Now())
			return err
		},
		"persistence": func() error { _, _, err := h.provider.Persistence(ctx, key, time.Now()); return err },
		"check":       func() error { return h.provider.Check(ctx) },
		"revoke":      func() error { _, err := h.provider.Revoke(ctx, key); return err },
	}
}

func TestRegeneratingIsSentOnceWhateverTheAnswer(t *testing.T) {
	t.Parallel()
	for _, fault := range []int{500, 503, 429, sandbox.FaultLost, sandbox.FaultGarbage} {
		w := sandbox.NewWorld(sandbox.Options{AzureDelay: -1, RevocationDelay: -1})
		h, ctx := in(t, w), within(t)
		k := h.find(t)
		at := h.seen.next
		h.seen.next = http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, "/regenerateKey") {
				w.Fault("azure-arm", fault, 1)
			}
			at.ServeHTTP(rw, r)
		})
		if _, err := h.provider.Revoke(ctx, k); err == nil || keys.IsPermanent(err) {
			t.Errorf("%d: %v", fault, err)
		}
		if n := h.seen.count("regenerateKey"); n != 1 {
			t.Errorf("%d: it was sent %d times", fault, n)
		}
		landed := fault == sandbox.FaultLost
		if st := must[keys.State](t)(h.provider.State(ctx, keys.OpRevoke, k)); st.Done != landed {
			t.Errorf("%d: the slot is said to be done: %v", fault, st.Done)
		}
	}
}

// strange is a house whose Azure answers as no Azure does.
func strange(t *testing.T, h http.HandlerFunc) house {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return build(t, func(c *azureopenai.Config) { c.ARM, c.Inference = server.URL, server.URL })
}

func TestAnswersThatAzureWouldNotGiveAreNotBelieved(t *testing.T) {
	t.Parallel()
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("a redirect was followed with the header %q", r.Header.Get("Authorization"))
	}))
	t.Cleanup(elsewhere.Close)
	text := func(body string) http.HandlerFunc {
		return func(rw http.ResponseWriter, _ *http.Request) {
			rw.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(rw, body)
		}
	}
	for name, answer := range map[string]http.HandlerFunc{
		"a proxy's page":      func(rw http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(rw, "<html>log in first</html>") },
		"an error inside 200": text(`{"error":{"code":"InternalServerError","message":"no"}}`),
		"half an answer":      text(`{"properties":{"disableLocal`),
		"an empty answer":     text(``),
		"another thing":       text(`{"properties":{"disableLocalAuth":false},"key1":"short","key2":"short"}`),
		"a redirect": func(rw http.ResponseWriter, r *http.Request) {
			http.Redirect(rw, r, elsewhere.URL, http.StatusTemporaryRedirect)
		},
		"a huge body": func(rw http.ResponseWriter, _ *http.Request) {
			rw.Header().Set("Content-Type", "application/json")
			block := `{"a":"` + strings.Repeat("x", 1<<16)
			for range 300 { // twenty megabytes
				if _, err := io.WriteString(rw, block); err != nil {
					return
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := strange(t, answer)
			key := incident.Key{Provider: "azure_openai", Account: "prod", ID: sandbox.AzureResource + "/key1", UID: "0011223344556677"}
			if got, err := h.provider.Contain(within(t), key); err == nil {
				t.Fatalf("it was believed: %+v", got)
			}
			if got, err := h.provider.Revoke(within(t), key); err == nil {
				t.Fatalf("a regeneration was believed: %+v", got)
			}
			if got := must[keys.Probed](t)(h.provider.Probe(within(t), key, []byte(h.stolen.Secret()))); name != "another thing" && got.State != keys.ProbeUnknown {
				t.Fatalf("the probe believed it: %+v", got)
			}
		})
	}
}

func TestANextPageElsewhereIsNotFetched(t *testing.T) {
	t.Parallel()
	h := strange(t, func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(rw, `{"value":[],"nextLink":"https://attacker.example/next"}`)
	})
	_, _, err := h.provider.Persistence(within(t), incident.Key{}, time.Now())
	if !keys.IsPermanent(err) || !strings.Contains(err.Error(), "another host") {
		t.Fatalf("it was followed: %v", err)
	}
}

func TestTheProbeIsUnknownWhenAzureIsNotAnswering(t *testing.T) {
	t.Parallel()
	h := build(t)
	for _, status := range []int{400, 401, 403, 404, 429, 500, 503, sandbox.FaultGarbage, sandbox.FaultLost} {
		h.world.Fault("azure_openai", status, 5)
		got := must[keys.Probed](t)(h.provider.Probe(within(t), incident.Key{}, []byte(h.stolen.Secret())))
		if got.State != keys.ProbeUnknown {
			t.Errorf("%d is taken for %q", status, got.State)
		}
		noSecret(t, h.stolen.Secret(), got.Detail)
		for must[keys.Probed](t)(h.provider.Probe(within(t), incident.Key{}, []byte(h.stolen.Secret()))).State != keys.ProbeWorking {
		}
	}
}

func TestAHangingAzureEndsWithTheContext(t *testing.T) {
	t.Parallel()
	h := build(t)
	h.world.Fault("azure-arm", sandbox.FaultHang, 1)
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	_, err := h.provider.Identify(ctx, incident.Clue{}, []byte(h.stolen.Secret()))
	if !errors.Is(err, context.DeadlineExceeded) || keys.IsPermanent(err) {
		t.Fatalf("a hanging look-up gave %v", err)
	}
	noSecret(t, h.stolen.Secret(), err.Error())
}
