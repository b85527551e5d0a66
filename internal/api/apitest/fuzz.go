package apitest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
)

// Target is a running server.
type Target struct {
	URL   string
	Token string              // personal token of somebody with every role
	IDs   map[string][]string // known values for path parameters, by path; the fuzzer mixes them with made-up ones
	Skip  func(method, path string) bool
	Seed  uint64
	Each  int // requests for each operation
}

// Document reads the description and has it judged.
func (g Target) Document(t *testing.T) *openapi3.T {
	t.Helper()
	res, err := g.send(t.Context(), http.MethodGet, "/v1/openapi.json", nil, "", g.Token)
	if err != nil || res.status != http.StatusOK {
		t.Fatalf("the description is answered %d, %v", res.status, err)
	}
	doc, err := openapi3.NewLoader().LoadFromData(res.body)
	if err != nil {
		t.Fatalf("the description is no OpenAPI: %v", err)
	}
	if err := doc.Validate(t.Context()); err != nil {
		t.Fatalf("the description is refused: %v", err)
	}
	return doc
}

// Run makes up requests and holds the answers against the document. It returns how many of them were good, by operation.
func (g Target) Run(t *testing.T) map[string]int {
	t.Helper()
	doc := g.Document(t)
	f := fuzzer{g, doc, rand.New(rand.NewPCG(g.Seed, 1))}
	good := map[string]int{}
	for _, path := range slices.Sorted(maps.Keys(doc.Paths.Map())) {
		item := doc.Paths.Find(path)
		ops := item.Operations()
		for _, method := range slices.Sorted(maps.Keys(ops)) {
			if g.Skip != nil && g.Skip(method, path) {
				continue
			}
			for range g.Each {
				if f.one(t, method, path, ops[method]) {
					good[ops[method].OperationID]++
				}
			}
			f.without(t, method, path, ops[method])
		}
	}
	return good
}

type fuzzer struct {
	Target
	doc *openapi3.T
	r   *rand.Rand
}

// one sends one request; it reports whether the answer was good.
func (f fuzzer) one(t *testing.T, method, path string, op *openapi3.Operation) bool {
	t.Helper()
	at, query := f.address(path, op)
	body, kind := f.body(op)
	res, err := f.send(t.Context(), method, at+query, body, kind, f.Token)
	if err != nil {
		t.Errorf("%s %s: %v", method, at+query, err)
		return false
	}
	if why := judge(op, res); why != "" {
		t.Errorf("%s %s with %.200q (%s) is answered %d: %s\n%.500s", method, at+query, body, kind, res.status, why, res.body)
	}
	return res.status/100 == 2
}

// without tries the operation without a token.
func (f fuzzer) without(t *testing.T, method, path string, op *openapi3.Operation) {
	t.Helper()
	if op.Security != nil && len(*op.Security) == 0 {
		return
	}
	at, _ := f.address(path, op)
	for _, token := range []string{"", "guessed"} {
		res, err := f.send(t.Context(), method, at, []byte("{}"), "application/json", token)
		if err != nil || res.status != http.StatusUnauthorized || judge(op, res) != "" {
			t.Errorf("%s %s with the token %q is answered %d, %v", method, at, token, res.status, err)
		}
	}
}

func (f fuzzer) address(path string, op *openapi3.Operation) (at, query string) {
	at = path
	q := url.Values{}
	for _, p := range op.Parameters {
		switch p.Value.In {
		case openapi3.ParameterInPath:
			at = strings.ReplaceAll(at, "{"+p.Value.Name+"}", url.PathEscape(f.id(path)))
		case openapi3.ParameterInQuery:
			if f.r.IntN(3) == 0 {
				q.Add(p.Value.Name, f.parameter(p.Value.Schema.Value))
			}
		}
	}
	if f.r.IntN(20) == 0 {
		q.Add("no_such_parameter", "1")
	}
	if len(q) > 0 {
		query = "?" + q.Encode()
	}
	return at, query
}

func (f fuzzer) id(path string) string {
	if known := f.IDs[path]; len(known) > 0 && f.r.IntN(3) > 0 {
		return known[f.r.IntN(len(known))]
	}
	id := f.hostile()
	if id == "" || id == "." || id == ".." || strings.HasPrefix(id, "/") || len(id) > 2000 {
		return "none"
	}
	return id
}

func (f fuzzer) parameter(s *openapi3.Schema) string {
	if f.r.IntN(4) == 0 {
		return f.hostile()
	}
	switch {
	case len(s.Enum) > 0:
		return fmt.Sprint(s.Enum[f.r.IntN(len(s.Enum))])
	case s.Format == "date-time":
		return time.Unix(f.r.Int64N(2_000_000_000), 0).UTC().Format(time.RFC3339)
	case s.Type.Is("boolean"):
		return []string{"true", "false"}[f.r.IntN(2)]
	}
	return []string{"open", "done", "gemini", "contained", "md", "json", "run-1"}[f.r.IntN(7)]
}

// hostile is what strangers send.
func (f fuzzer) hostile() string {
	all := []string{
		"", "'", `"`, "%00", "\x00", "../../etc/passwd", "<script>alert(1)</script>", "' OR '1'='1", "\u202egnp.exe", "\u200b", "{{.}}", "=cmd|' /C calc'!A0",
		"💥", "-1", "NaN", "null", "true", "[]", "9999999999999999999999", strings.Repeat("A", 3000), "\xff\xfe", "%2e%2e%2f", "a/b/c", "?x=1#y",
	}
	return all[f.r.IntN(len(all))]
}

func (f fuzzer) body(op *openapi3.Operation) (body []byte, kind string) {
	if op.RequestBody == nil {
		return nil, ""
	}
	kind = "application/json"
	media := op.RequestBody.Value.Content.Get(kind)
	switch f.r.IntN(12) {
	case 0:
		return []byte(f.hostile()), kind
	case 1:
		return []byte(`{"verb":`), kind
	case 2:
		return []byte(`[1,2]`), kind
	case 3:
		kind = []string{"text/plain", "", "application/x-www-form-urlencoded", "application/json; charset=\""}[f.r.IntN(4)]
	case 4:
		return bytes.Repeat([]byte("["), 100_000), kind
	}
	if media == nil || media.Schema == nil {
		return []byte(f.hostile()), kind
	}
	raw, err := json.Marshal(f.value(media.Schema.Value, 0))
	if err != nil {
		return []byte("{}"), kind
	}
	return raw, kind
}

// value fits the schema, mostly.
func (f fuzzer) value(s *openapi3.Schema, depth int) any {
	if depth > 5 || f.r.IntN(25) == 0 {
		return []any{nil, 1, "x", []any{}, map[string]any{}, true}[f.r.IntN(6)]
	}
	switch {
	case s.Type.Is("object"):
		out := map[string]any{}
		for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
			if slices.Contains(s.Required, name) && f.r.IntN(10) > 0 || f.r.IntN(2) == 0 {
				out[name] = f.value(s.Properties[name].Value, depth+1)
			}
		}
		if f.r.IntN(20) == 0 {
			out["no_such_field"] = 1
		}
		return out
	case s.Type.Is("array"):
		return []any{f.value(s.Items.Value, depth+1)}
	case s.Type.Is("boolean"):
		return f.r.IntN(2) == 0
	case s.Type.Is("integer"), s.Type.Is("number"):
		return f.r.IntN(1000) - 500
	case s.Format == "date-time":
		return time.Unix(f.r.Int64N(2_000_000_000), 0).UTC()
	}
	if f.r.IntN(2) == 0 {
		return f.hostile()
	}
	return []string{"approve", "reject", "abuse", "because", "gemini:acme:k1", "leak"}[f.r.IntN(6)]
}

// answer is what came back.
type answer struct {
	status int
	kind   string
	body   []byte
}

func (g Target) send(ctx context.Context, method, path string, body []byte, kind, token string) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, g.URL+path, bytes.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	if kind != "" {
		req.Header.Set("Content-Type", kind)
	}
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		return answer{}, err
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(io.LimitReader(res.Body, 64<<20))
	return answer{res.StatusCode, res.Header.Get("Content-Type"), raw}, err
}

// judge says what of an answer the document does not allow; nothing where all is well.
func judge(op *openapi3.Operation, res answer) string {
	if res.status >= 500 {
		return "the server failed"
	}
	described := op.Responses.Status(res.status)
	if described == nil {
		described = op.Responses.Default()
	}
	if described == nil {
		return "no answer with this status is described"
	}
	kind, _, _ := mime.ParseMediaType(res.kind)
	media := described.Value.Content.Get(kind)
	if media == nil {
		return fmt.Sprintf("no answer of the type %q is described", kind)
	}
	if !strings.HasSuffix(kind, "json") || media.Schema == nil {
		return ""
	}
	var v any
	if err := json.Unmarshal(res.body, &v); err != nil {
		return "the answer is not JSON: " + err.Error()
	}
	if err := media.Schema.Value.VisitJSON(v); err != nil {
		return "the answer does not fit: " + err.Error()
	}
	return ""
}
