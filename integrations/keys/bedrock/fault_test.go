package bedrock_test

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
	"github.com/tourniquet-ir/tourniquet/integrations/keys/bedrock"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/sandbox"
)

// everything is every call of the port that talks to AWS.
func everything(ctx context.Context, h house, key incident.Key, stolen sandbox.Key) map[string]func() error {
	undo := json.RawMessage(`{"op":"contain","status":"Active"}`)
	return map[string]func() error{
		"identify": func() error {
			_, err := h.provider.Identify(ctx, incident.Clue{}, []byte(stolen.Secret()))
			return err
		},
		"state":    func() error { _, err := h.provider.State(ctx, keys.OpContain, key); return err },
		"policy":   func() error { _, err := h.provider.State(ctx, keys.OpSessions, key); return err },
		"contain":  func() error { _, err := h.provider.Contain(ctx, key); return err },
		"restore":  func() error { _, err := h.provider.Restore(ctx, key, undo); return err },
		"sessions": func() error { _, err := h.provider.Sessions(ctx, key); return err },
		"allow": func() error {
			_, err := h.provider.Restore(ctx, key, json.RawMessage(`{"op":"sessions"}`))
			return err
		},
		"create":  func() error { _, err := h.provider.Create(ctx, key, "l"); return err },
		"orphans": func() error { _, err := h.provider.Orphans(ctx, key, "l"); return err },
		"usage": func() error {
			_, err := h.provider.Usage(ctx, key, time.Now().Add(-time.Hour), time.Now())
			return err
		},
		"persistence": func() error { _, _, err := h.provider.Persistence(ctx, key, time.Now()); return err },
		"check":       func() error { return h.provider.Check(ctx) },
		"revoke":      func() error { _, err := h.provider.Revoke(ctx, key); return err },
	}
}

func TestOneHiccupIsReadAgainButNeverWrittenAgain(t *testing.T) {
	t.Parallel()
	h, ctx := build(t), within(t)
	key := h.find(t, h.world.NewAWSAccessKey("shop"))
	h.world.Fault("iam", 500, 1)
	must[keys.State](t)(h.provider.State(ctx, keys.OpContain, key))
	for action, do := range map[string]func() error{
		"UpdateAccessKey": func() error { _, err := h.provider.Contain(ctx, key); return err },
		"PutUserPolicy":   func() error { _, err := h.provider.Sessions(ctx, key); return err },
		"DeleteAccessKey": func() error { _, err := h.provider.Revoke(ctx, key); return err },
	} {
		h.faultAt(action, 500)
		if err := do(); err == nil || keys.IsPermanent(err) {
			t.Errorf("%s: %v", action, err)
		}
		if n := h.seen.count("Action=" + action); n != 1 {
			t.Errorf("%s was sent %d times", action, n)
		}
	}
}

// strange is a server that answers as no AWS does.
func strange(t *testing.T, h http.HandlerFunc) house {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return build(t, func(c *bedrock.Config) {
		c.Endpoints = bedrock.Endpoints{IAM: server.URL, STS: server.URL, CloudTrail: server.URL, Bedrock: server.URL, CostExplorer: server.URL}
	})
}

func TestAnswersThatAWSWouldNotGiveAreNotBelieved(t *testing.T) {
	t.Parallel()
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("a redirect was followed with the header %q", r.Header.Get("Authorization"))
	}))
	t.Cleanup(elsewhere.Close)
	for name, answer := range map[string]http.HandlerFunc{
		"a proxy's page": func(rw http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(rw, "<html>log in first</html>") },
		"an error inside 200": func(rw http.ResponseWriter, _ *http.Request) {
			rw.Header().Set("Content-Type", "text/xml")
			_, _ = io.WriteString(rw, `<ErrorResponse><Error><Code>InternalFailure</Code></Error></ErrorResponse>`)
		},
		"a cut body": func(rw http.ResponseWriter, _ *http.Request) {
			rw.Header().Set("Content-Type", "text/xml")
			rw.Header().Set("Content-Length", "5000")
			_, _ = io.WriteString(rw, `<UpdateAccessKeyResponse><Resp`)
		},
		"half an answer": func(rw http.ResponseWriter, _ *http.Request) {
			rw.Header().Set("Content-Type", "text/xml")
			_, _ = io.WriteString(rw, `<UpdateAccessKeyResponse><Resp`)
		},
		"another type": func(rw http.ResponseWriter, _ *http.Request) {
			rw.Header().Set("Content-Type", "text/plain")
			_, _ = io.WriteString(rw, `<UpdateAccessKeyResponse></UpdateAccessKeyResponse>`)
		},
		"a redirect": func(rw http.ResponseWriter, r *http.Request) {
			http.Redirect(rw, r, elsewhere.URL, http.StatusTemporaryRedirect)
		},
		"a huge body": func(rw http.ResponseWriter, _ *http.Request) {
			rw.Header().Set("Content-Type", "text/xml")
			block := strings.Repeat("<UpdateAccessKeyResponse>", 1<<12)
			for range 200 { // twenty megabytes
				if _, err := io.WriteString(rw, block); err != nil {
					return
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := strange(t, answer)
			key := incident.Key{Provider: "bedrock", Account: "prod", ID: "AKIAQQQQQQQQQQQQQQQQ", UID: "user/shop", Name: "shop"}
			if got, err := h.provider.Contain(within(t), key); err == nil {
				t.Fatalf("it was believed: %+v", got)
			}
			if got, err := h.provider.Revoke(within(t), key); err == nil {
				t.Fatalf("a deletion was believed: %+v", got)
			}
			stolen := `{"AccessKeyId":"AKIAQQQQQQQQQQQQQQQQ","SecretAccessKey":"` + strings.Repeat("abcdeFGHIJ", 4) + `"}`
			if got := must[keys.Probed](t)(h.provider.Probe(within(t), key, []byte(stolen))); got.State != keys.ProbeUnknown {
				t.Fatalf("the probe believed it: %+v", got)
			}
		})
	}
}

func TestTheProbeIsUnknownWhenAWSIsNotAnswering(t *testing.T) {
	t.Parallel()
	h := build(t)
	for _, stolen := range []sandbox.Key{h.world.NewAWSAccessKey("shop"), h.world.NewAWSAPIKey("BedrockAPIKey-8f2a")} {
		key := h.find(t, stolen)
		for _, status := range []int{400, 401, 404, 429, 500, 503, sandbox.FaultGarbage, sandbox.FaultLost} {
			service := map[bool]string{true: "sts", false: "bedrock-control"}[strings.HasPrefix(stolen.ID, "AKIA")]
			h.world.Fault(service, status, 5)
			got := must[keys.Probed](t)(h.provider.Probe(within(t), key, []byte(stolen.Secret())))
			if got.State != keys.ProbeUnknown {
				t.Errorf("%d is taken for %q", status, got.State)
			}
			noSecret(t, stolen.Secret(), got.Detail)
			drain(t, h, key, stolen)
		}
	}
	wrong := strings.Replace(h.world.NewAWSAccessKey("shop").Secret(), `"SecretAccessKey":"`, `"SecretAccessKey":"x`, 1)
	h.probe(t, incident.Key{ID: "AKIA"}, wrong[:len(wrong)-3]+`"}`, keys.ProbeUnknown)
}

// drain uses up the faults that are left.
func drain(t *testing.T, h house, key incident.Key, stolen sandbox.Key) {
	t.Helper()
	for must[keys.Probed](t)(h.provider.Probe(within(t), key, []byte(stolen.Secret()))).State != keys.ProbeWorking {
	}
}

func TestAHangingAWSEndsWithTheContext(t *testing.T) {
	t.Parallel()
	h := build(t)
	stolen := h.world.NewAWSAPIKey("BedrockAPIKey-8f2a")
	h.world.Fault("iam", sandbox.FaultHang, 1)
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	_, err := h.provider.Identify(ctx, incident.Clue{}, []byte(stolen.Secret()))
	if !errors.Is(err, context.DeadlineExceeded) || keys.IsPermanent(err) {
		t.Fatalf("a hanging look-up gave %v", err)
	}
	noSecret(t, stolen.Secret(), err.Error())
}
