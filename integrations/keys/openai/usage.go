package openai

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/integrations/keys/rest"
	"github.com/tourniquet-ir/tourniquet/integrations/keys/tape"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

// report is one of OpenAI's usage reports. A thief may use any of them.
type report struct {
	name    string
	byKey   bool // it can be cut down to one key; otherwise it is evidence about the project alone
	byModel bool
}

var reports = []report{
	{"completions", true, true}, {"embeddings", true, true}, {"moderations", true, true}, {"images", true, true},
	{"audio_speeches", true, true}, {"audio_transcriptions", true, true},
	{"file_search_calls", true, false}, {"web_search_calls", true, true},
	{"vector_stores", false, false}, {"code_interpreter_sessions", false, false},
}

// atOnce bounds how many reports are read at the same time: OpenAI limits requests and does not say to how many.
const atOnce = 4

// result is what OpenAI counts in a bucket, of whatever report.
type result struct {
	Requests     int64  `json:"num_model_requests"`
	FileRequests int64  `json:"num_requests"`
	Input        int64  `json:"input_tokens"`
	Output       int64  `json:"output_tokens"`
	Model        string `json:"model"`
	Amount       struct {
		Value number `json:"value"`
	} `json:"amount"`
}

// number is a float that may come as a string.
type number float64

func (n *number) UnmarshalJSON(raw []byte) error {
	v, err := strconv.ParseFloat(strings.Trim(string(raw), `"`), 64)
	*n = number(v)
	if string(raw) == "null" {
		return nil
	}
	return err
}

// Usage reads all reports of the key by model and its billed costs, a few at a time.
// OpenAI bills by whole UTC days, so the money may include use from before since. A quick answer reads completions and costs.
func (p *Provider) Usage(ctx context.Context, key incident.Key, since, until time.Time) (keys.Usage, error) {
	wanted := reports
	if keys.IsQuick(ctx) {
		wanted = reports[:1]
	}
	parts, errs := make([]keys.Usage, len(wanted)+1), make([]error, len(wanted)+1)
	var all sync.WaitGroup
	slots := make(chan struct{}, atOnce)
	for i := range parts {
		all.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			if i == len(wanted) {
				parts[i], errs[i] = p.costs(ctx, key, since, until)
				return
			}
			parts[i], errs[i] = p.use(ctx, wanted[i], key, since, until)
		})
	}
	all.Wait()
	return sum(wanted, since, parts, errs)
}

// sum adds the parts up. Completions and costs must be there; what else is missing makes the figures a lower bound.
func sum(wanted []report, since time.Time, parts []keys.Usage, errs []error) (u keys.Usage, err error) {
	var absent []string
	for i, part := range parts {
		if errs[i] != nil && (i == 0 || i == len(wanted)) {
			return keys.Usage{}, errs[i]
		}
		if errs[i] != nil {
			absent = append(absent, wanted[i].name)
			continue
		}
		u.Rows, u.Raw = append(u.Rows, part.Rows...), append(u.Raw, part.Raw...)
		u.MicroUSD += part.MicroUSD
	}
	u.CostKnown, u.CostBasis = true, "billed, whole UTC days"
	for _, row := range u.Rows {
		u.Requests += row.Requests
		u.Tokens += row.Tokens
	}
	if len(absent) > 0 {
		u.Incomplete = "OpenAI did not answer for " + strings.Join(absent, ", ")
	}
	u.FirstAbuse = keys.FirstAbuse(u.Rows, since)
	return u, nil
}

// use reads one report, the last day by the minute and what lies before it by the hour.
func (p *Provider) use(ctx context.Context, r report, key incident.Key, since, until time.Time) (u keys.Usage, err error) {
	what := fmt.Sprintf("reading the %s of key %q", strings.ReplaceAll(r.name, "_", " "), key.ID)
	name := "usage-" + strings.ReplaceAll(r.name, "_", "-")
	for _, w := range keys.Windows(since, until) {
		query := window(w.From, w.To.Add(-time.Second), "1h", 168)
		file := name + "-hours"
		if w.Width == time.Minute {
			query, file = window(w.From, w.To, "1m", 1440), name
		}
		if r.byKey {
			query["api_key_ids"] = []string{key.ID}
		} else {
			query["project_ids"] = []string{p.project(key)}
		}
		if r.byModel {
			query["group_by"] = []string{"model"}
		}
		raw, err := p.buckets(ctx, file, what, "organization/usage/"+r.name, query, func(at time.Time, one result) {
			if r.byKey {
				u.Rows = append(u.Rows, keys.UsageRow{At: at, Seconds: int64(w.Width.Seconds()), Requests: one.Requests + one.FileRequests, Tokens: one.Input + one.Output, Model: one.Model, Method: r.name})
			}
		})
		if err != nil {
			return keys.Usage{}, err
		}
		u.Raw = append(u.Raw, raw...)
	}
	return u, nil
}

func (p *Provider) costs(ctx context.Context, key incident.Key, since, until time.Time) (keys.Usage, error) {
	query := window(since.UTC().Truncate(24*time.Hour), until, "1d", 180)
	query["api_key_ids"], query["group_by"] = []string{key.ID}, []string{"api_key_id"}
	usd := 0.0
	raw, err := p.buckets(ctx, "costs", fmt.Sprintf("reading the costs of key %q", key.ID), "organization/costs", query, func(_ time.Time, one result) {
		usd += float64(one.Amount.Value)
	})
	return keys.Usage{MicroUSD: int64(math.Round(usd * 1e6)), Raw: raw}, err
}

// window asks for a stretch of time. Lists repeat their name, as OpenAI's description says.
func window(since, until time.Time, width string, limit int) url.Values {
	return url.Values{
		"start_time": {strconv.FormatInt(since.Unix(), 10)}, "end_time": {strconv.FormatInt(until.Unix()+1, 10)},
		"bucket_width": {width}, "limit": {strconv.Itoa(limit)},
	}
}

// mostPages bounds a report whose pages never end.
const mostPages = 200

// buckets reads a report to its end and keeps it as evidence.
func (p *Provider) buckets(ctx context.Context, name, what, path string, query url.Values, each func(time.Time, result)) ([]keys.Raw, error) {
	ctx, recorder := tape.Record(ctx)
	for range mostPages {
		var page struct {
			Data []struct {
				Start   int64    `json:"start_time"`
				Results []result `json:"results"`
			} `json:"data"`
			More bool   `json:"has_more"`
			Next string `json:"next_page"`
		}
		if err := p.plain.Read(ctx, rest.Call{What: what, Method: http.MethodGet, Path: "/" + path, Query: query, Out: &page}); err != nil {
			return nil, err
		}
		for _, b := range page.Data {
			for _, r := range b.Results {
				each(time.Unix(b.Start, 0).UTC(), r)
			}
		}
		if !page.More || page.Next == "" {
			return recorder.Evidence(name), nil
		}
		query.Set("page", page.Next)
	}
	return nil, keys.Permanent(fmt.Errorf("%s: the report has more than %d pages", what, mostPages))
}
