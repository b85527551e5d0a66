package bedrock_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/integrations/keys/bedrock"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/sandbox"
)

// house is one world with a provider that looks into it.
type house struct {
	world    *sandbox.World
	provider *bedrock.Provider
	url      string
	seen     *requests
}

// requests remembers the bodies of what was asked.
type requests struct {
	next http.Handler
	mu   sync.Mutex
	list []string // path and form or target

	world *sandbox.World
	at    string // text of the request that the next fault strikes
	fault int
}

func (s *requests) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	s.mu.Lock()
	s.list = append(s.list, r.Method+" "+r.URL.Path+" "+r.Header.Get("X-Amz-Target")+" "+string(body))
	if s.at != "" && strings.Contains(string(body), s.at) {
		s.world.Fault("iam", s.fault, 1)
		s.at = ""
	}
	s.mu.Unlock()
	s.next.ServeHTTP(rw, r)
}

// count is how many requests hold text.
func (s *requests) count(text string) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, one := range s.list {
		if strings.Contains(one, text) {
			n++
		}
	}
	return n
}

func build(t *testing.T, change ...func(*bedrock.Config)) house {
	t.Helper()
	return in(t, sandbox.NewWorld(sandbox.Options{AWSDelay: -1}), change...)
}

func in(t *testing.T, w *sandbox.World, change ...func(*bedrock.Config)) house {
	t.Helper()
	seen := &requests{next: w.AWS(), world: w}
	server := httptest.NewServer(seen)
	t.Cleanup(server.Close)
	id, secret := w.AWSResponder()
	cfg := bedrock.Config{
		Account: "prod", AccountID: sandbox.AWSAccountID, Regions: []string{"us-east-1", "us-west-2"},
		Credentials: credentials.NewStaticCredentialsProvider(id, secret, ""),
		Endpoints:   bedrock.Endpoints{IAM: server.URL, STS: server.URL, CloudTrail: server.URL, Bedrock: server.URL, CostExplorer: server.URL},
		HTTPClient:  server.Client(),
	}
	for _, c := range change {
		c(&cfg)
	}
	p, err := bedrock.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return house{w, p, server.URL, seen}
}

func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func must[T any](t *testing.T) func(T, error) T {
	t.Helper()
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// find identifies a key by its value.
func (h house) find(t *testing.T, k sandbox.Key) incident.Key {
	t.Helper()
	return one(t, must[[]incident.Key](t)(h.provider.Identify(within(t), incident.Clue{}, []byte(k.Secret()))))
}

func one(t *testing.T, found []incident.Key) incident.Key {
	t.Helper()
	if len(found) != 1 {
		t.Fatalf("%d keys were found: %v", len(found), found)
	}
	return found[0]
}

// probe tries a value and compares the answer.
func (h house) probe(t *testing.T, k incident.Key, secret, want string) {
	t.Helper()
	got := must[keys.Probed](t)(h.provider.Probe(within(t), k, []byte(secret)))
	if got.State != want {
		t.Fatalf("the probe says %q (%s), not %q", got.State, got.Detail, want)
	}
}

// thief signs and sends what a thief sends; the answer's status comes back.
func (h house) thief(t *testing.T, k sandbox.Key, service, region, method, path, body string) int {
	t.Helper()
	r := must[*http.Request](t)(http.NewRequestWithContext(within(t), method, h.url+path, strings.NewReader(body)))
	r.Header.Set(sandbox.ActorHeader, sandbox.ActorAttacker)
	r.Header.Set("User-Agent", "python-requests/2.31")
	if strings.HasPrefix(k.Secret(), "ABSK") {
		r.Header.Set("Authorization", "Bearer "+k.Secret())
	} else {
		sum := sha256.Sum256([]byte(body))
		creds := aws.Credentials{AccessKeyID: k.ID, SecretAccessKey: pairSecret(k.Secret())}
		if err := v4.NewSigner().SignHTTP(r.Context(), creds, r, hex.EncodeToString(sum[:]), service, region, time.Now()); err != nil {
			t.Fatal(err)
		}
	}
	res := must[*http.Response](t)(http.DefaultClient.Do(r))
	_ = res.Body.Close()
	return res.StatusCode
}

// iam is one call of the query protocol by a thief.
func (h house) iam(t *testing.T, k sandbox.Key, action string, args ...string) int {
	t.Helper()
	form := url.Values{"Action": {action}, "Version": {"2010-05-08"}}
	for i := 0; i+1 < len(args); i += 2 {
		form.Set(args[i], args[i+1])
	}
	return h.thief(t, k, "iam", "us-east-1", http.MethodPost, "/", form.Encode())
}

// spend is one model call.
func (h house) spend(t *testing.T, k sandbox.Key, region string) int {
	t.Helper()
	return h.thief(t, k, "bedrock", region, http.MethodPost, "/model/anthropic.claude-sonnet-4-20250514-v1:0/converse", `{"inferenceConfig":{"maxTokens":1000}}`)
}

func pairSecret(value string) string {
	_, rest, _ := strings.Cut(value, `"SecretAccessKey":"`)
	secret, _, _ := strings.Cut(rest, `"`)
	return secret
}

// noSecret fails when text holds twelve characters in a row of what must stay hidden.
func noSecret(t *testing.T, value, text string) {
	t.Helper()
	if secret := pairSecret(value); secret != "" {
		value = secret
	}
	for i := 0; i+12 <= len(value); i++ {
		if strings.Contains(text, value[i:i+12]) {
			t.Fatalf("a part of the key's value is in %q", strings.ReplaceAll(text, value[i:i+12], "<value>"))
		}
	}
}

// faultAt strikes the next call of one IAM action.
func (h house) faultAt(action string, fault int) {
	h.seen.mu.Lock()
	defer h.seen.mu.Unlock()
	h.seen.at, h.seen.fault = "Action="+action, fault
}

// useSession calls a model with a short-term key.
func (h house) useSession(t *testing.T, short string) int {
	t.Helper()
	r := must[*http.Request](t)(http.NewRequestWithContext(within(t), http.MethodPost, h.url+"/model/anthropic.claude-sonnet-4-20250514-v1:0/converse", strings.NewReader(`{"inferenceConfig":{"maxTokens":10}}`)))
	r.Header.Set("Authorization", "Bearer "+short)
	res := must[*http.Response](t)(http.DefaultClient.Do(r))
	_ = res.Body.Close()
	return res.StatusCode
}

// later is the configuration of a house whose clock is an hour ahead.
func later(t *testing.T, h house) bedrock.Config {
	t.Helper()
	id, secret := h.world.AWSResponder()
	return bedrock.Config{
		Account: "prod", AccountID: sandbox.AWSAccountID, Regions: []string{"us-east-1"}, Credentials: credentials.NewStaticCredentialsProvider(id, secret, ""),
		Endpoints: bedrock.Endpoints{IAM: h.url, STS: h.url, CloudTrail: h.url, Bedrock: h.url, CostExplorer: h.url},
		Now:       func() time.Time { return time.Now().Add(time.Hour) },
	}
}
