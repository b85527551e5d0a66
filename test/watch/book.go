package main

import (
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"golang.org/x/oauth2"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/integrations/keys/gemini"
	"github.com/tourniquet-ir/tourniquet/integrations/keys/openai"
)

// book answers usage questions in the vendors' shapes, from memory: an answer is written once and then given to everybody who asks
// for the same stretch of time.
type book struct {
	answers      map[string][]byte
	calls, bytes int
}

func (b *book) provider(vendor string) (keys.Provider, error) {
	client := &http.Client{Transport: b}
	if vendor == "openai" {
		return openai.New(openai.Config{Account: "main", Project: "proj_shop", AdminKey: "sk-admin-made-up", BaseURL: "http://openai.invalid/v1", HTTPClient: client})
	}
	const at = "http://google.invalid"
	return gemini.New(gemini.Config{Account: "main", Project: "demo-shop", HTTPClient: client, MicroUSDPerRequest: 8_000, PriceBasis: "a made up price",
		TokenSource: oauth2.StaticTokenSource(&oauth2.Token{AccessToken: "made-up"}),
		Endpoints:   gemini.Endpoints{APIKeys: at, ServiceUsage: at, Monitoring: at, Logging: at, Generative: at}})
}

// RoundTrip answers.
func (b *book) RoundTrip(r *http.Request) (*http.Response, error) {
	q := r.URL.Query()
	name := r.URL.Path + "?" + q.Get("interval.startTime") + q.Get("interval.endTime") + q.Get("start_time") + q.Get("end_time") + q.Get("bucket_width")
	if strings.Contains(r.URL.Path, "/keys/") || strings.HasSuffix(r.URL.Path, "/api_keys") || strings.Contains(r.URL.Path, "/api_keys/") {
		name = r.URL.Path
	}
	body, ok := b.answers[name]
	if !ok {
		body = b.write(r)
		if b.answers == nil {
			b.answers = map[string][]byte{}
		}
		b.answers[name] = body
	}
	b.calls, b.bytes = b.calls+1, b.bytes+len(body)
	return &http.Response{StatusCode: http.StatusOK, Status: "200 OK", Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r,
		Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(string(body))), ContentLength: int64(len(body))}, nil
}

func (b *book) write(r *http.Request) []byte {
	var answer any
	switch q := r.URL.Query(); {
	case strings.HasSuffix(r.URL.Path, "/timeSeries"):
		from, _ := time.Parse(time.RFC3339Nano, q.Get("interval.startTime"))
		to, _ := time.Parse(time.RFC3339Nano, q.Get("interval.endTime"))
		answer = timeSeries(from, to)
	case strings.Contains(r.URL.Path, "/organization/usage/"):
		answer = usage(r.URL.Path, seconds(q.Get("start_time")), seconds(q.Get("end_time")), q.Get("bucket_width"))
	case strings.Contains(r.URL.Path, "/organization/costs"):
		answer = map[string]any{"object": "page", "has_more": false, "data": []any{map[string]any{"object": "bucket", "start_time": seconds(q.Get("start_time")).Unix(),
			"results": []any{map[string]any{"object": "organization.costs.result", "amount": map[string]any{"value": 2.5, "currency": "usd"}}}}}}
	case strings.Contains(r.URL.Path, "/api_keys"):
		id := r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]
		one := map[string]any{"object": "organization.project.api_key", "id": id, "name": "shop", "redacted_value": "sk-...abcd", "created_at": 1_700_000_000,
			"owner": map[string]any{"type": "service_account", "service_account": map[string]any{"id": "svc_1", "name": "shop", "created_at": 1_700_000_000, "role": "member"}}}
		answer = one
	default:
		answer = map[string]any{"name": strings.TrimPrefix(r.URL.Path, "/v2/"), "uid": "uid", "displayName": "shop", "createTime": "2026-01-01T00:00:00Z", "etag": "x"}
	}
	body, err := json.Marshal(answer)
	if err != nil {
		return []byte(`{}`)
	}
	return body
}

func seconds(s string) time.Time {
	n, _ := strconv.ParseInt(s, 10, 64)
	return time.Unix(n, 0).UTC()
}

// busy is how many calls an honest shop makes in one minute.
func busy(at time.Time) int64 {
	if at.Hour() < 7 || at.Hour() > 20 {
		return 0
	}
	return 1 + int64(at.Minute()%3)
}

// timeSeries is Google's answer: minutes, newest first, the numbers as strings.
func timeSeries(from, to time.Time) any {
	var points []any
	for at := to.Truncate(time.Minute).Add(-time.Minute); !at.Before(from); at = at.Add(-time.Minute) {
		if n := busy(at); n > 0 {
			points = append(points, map[string]any{"interval": map[string]any{"startTime": at.Format(time.RFC3339), "endTime": at.Add(time.Minute).Format(time.RFC3339)},
				"value": map[string]any{"int64Value": strconv.FormatInt(n, 10)}})
		}
	}
	return map[string]any{"timeSeries": []any{map[string]any{
		"metric": map[string]any{"type": "serviceruntime.googleapis.com/api/request_count", "labels": map[string]any{"response_code": "200"}},
		"resource": map[string]any{"type": "consumed_api", "labels": map[string]any{"method": "google.ai.generativelanguage.v1beta.GenerativeService.GenerateContent",
			"location": "europe-west1", "service": "generativelanguage.googleapis.com"}},
		"metricKind": "DELTA", "valueType": "INT64", "points": points}}}
}

// usage is OpenAI's: every bucket stands there, most of them empty, and only one report has anything.
func usage(path string, from, to time.Time, width string) any {
	step := time.Minute
	if width == "1h" {
		step = time.Hour
	}
	var data []any
	for at := from.Truncate(step); at.Before(to); at = at.Add(step) {
		results := []any{}
		if n := busy(at) * int64(step/time.Minute); n > 0 && strings.HasSuffix(path, "/completions") {
			results = append(results, map[string]any{"object": "organization.usage.completions.result", "model": "gpt-5-mini", "num_model_requests": n,
				"input_tokens": n * 900, "output_tokens": n * 250, "input_cached_tokens": 0, "api_key_id": "key_000000"})
		}
		data = append(data, map[string]any{"object": "bucket", "start_time": at.Unix(), "end_time": at.Add(step).Unix(), "results": results})
	}
	return map[string]any{"object": "page", "data": data, "has_more": false, "next_page": nil}
}
