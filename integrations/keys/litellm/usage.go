package litellm

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/integrations/keys/rest"
	"github.com/tourniquet-ir/tourniquet/integrations/keys/tape"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

// spend is one line of the proxy's spend log.
type spend struct {
	CallType string          `json:"call_type"`
	Spend    float64         `json:"spend"`
	Tokens   int64           `json:"total_tokens"`
	Start    logTime         `json:"startTime"`
	Model    string          `json:"model"`
	Address  string          `json:"requester_ip_address"`
	Status   string          `json:"status"`
	Metadata json.RawMessage `json:"metadata"`
}

// logTime is a time with or without a zone: the proxy means UTC.
type logTime struct{ time.Time }

func (t *logTime) UnmarshalJSON(raw []byte) error {
	text := strings.Trim(string(raw), `"`)
	for _, form := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999"} {
		if at, err := time.Parse(form, text); err == nil {
			t.Time = at.UTC()
			return nil
		}
	}
	return fmt.Errorf("%q is no time of a spend log", text)
}

// atOnce bounds how many days are read at the same time: the proxy is the operator's own, and others use it.
const atOnce = 3

// Usage reads the proxy's spend log day by day, a few at a time. A day whose log is larger than what is read of one answer is
// summed up by the proxy, and the figures say that its calls are not counted.
func (p *Provider) Usage(ctx context.Context, key incident.Key, since, until time.Time) (keys.Usage, error) {
	var days []time.Time
	for day := since.UTC().Truncate(24 * time.Hour); !day.After(until); day = day.Add(24 * time.Hour) {
		days = append(days, day)
	}
	parts, errs := make([]keys.Usage, len(days)), make([]error, len(days))
	var all sync.WaitGroup
	slots := make(chan struct{}, atOnce)
	for i, day := range days {
		all.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			parts[i], errs[i] = p.day(ctx, key, day, since, until)
		})
	}
	all.Wait()
	u := keys.Usage{CostKnown: true, CostBasis: "counted by the proxy from its own price list"}
	for i, part := range parts {
		if errs[i] != nil {
			return keys.Usage{}, errs[i]
		}
		u.Rows, u.Raw = append(u.Rows, part.Rows...), append(u.Raw, part.Raw...)
		u.MicroUSD += part.MicroUSD
		if part.Incomplete != "" {
			u.Incomplete = part.Incomplete
		}
	}
	slices.SortStableFunc(u.Rows, func(a, b keys.UsageRow) int { return a.At.Compare(b.At) })
	for _, r := range u.Rows {
		u.Requests += r.Requests
		u.Tokens += r.Tokens
	}
	u.FirstAbuse = keys.FirstAbuse(u.Rows, since)
	u.NewAddresses = fresh(u.Rows, u.FirstAbuse)
	return u, nil
}

func (p *Provider) day(ctx context.Context, key incident.Key, day, since, until time.Time) (keys.Usage, error) {
	what := fmt.Sprintf("reading the spend log of key %q", key.ID)
	query := url.Values{
		"api_key": {key.ID}, "start_date": {day.Format(time.DateOnly)}, "end_date": {day.Add(24 * time.Hour).Format(time.DateOnly)}, "summarize": {"false"},
	}
	recorded, recorder := tape.Record(ctx)
	var lines []spend
	err := p.proxy.Read(recorded, rest.Call{What: what, Method: http.MethodGet, Path: "/spend/logs", Query: query, Out: &lines})
	if rest.TooLarge(err) {
		return p.summed(ctx, what, query, day)
	}
	u := keys.Usage{Raw: recorder.Evidence("spend-logs-" + day.Format(time.DateOnly))}
	for _, l := range lines {
		if l.Start.Before(since) || l.Start.After(until) || l.Start.Before(day) || !l.Start.Before(day.Add(24*time.Hour)) {
			continue
		}
		row := keys.UsageRow{
			At: l.Start.Time, Seconds: 60, Requests: 1, Tokens: l.Tokens, MicroUSD: int64(math.Round(l.Spend * 1e6)), Model: l.Model, Method: l.CallType, Code: l.Status,
			Address: l.Address, Agent: agent(l.Metadata),
		}
		u.MicroUSD += row.MicroUSD
		u.Rows = append(u.Rows, row)
	}
	return u, err
}

const daySeconds = 24 * 60 * 60

// summed is a day in the proxy's own sums: dollars by model, without calls and addresses.
func (p *Provider) summed(ctx context.Context, what string, query url.Values, day time.Time) (keys.Usage, error) {
	query.Set("summarize", "true")
	ctx, recorder := tape.Record(ctx)
	var days []struct {
		Spend float64 `json:"spend"`
	}
	if err := p.proxy.Read(ctx, rest.Call{What: what, Method: http.MethodGet, Path: "/spend/logs", Query: query, Out: &days}); err != nil {
		return keys.Usage{}, err
	}
	u := keys.Usage{Incomplete: "the spend log of a day is too large to be read call by call", Raw: recorder.Evidence("spend-logs-" + day.Format(time.DateOnly) + "-sums")}
	for _, d := range days {
		u.MicroUSD += int64(math.Round(d.Spend * 1e6))
	}
	u.Rows = []keys.UsageRow{{At: day, Seconds: daySeconds, MicroUSD: u.MicroUSD}}
	return u, nil
}

// agent is the caller's user agent where the proxy keeps it.
func agent(metadata json.RawMessage) string {
	var kept struct {
		Agent string `json:"user_agent"`
	}
	_ = json.Unmarshal(metadata, &kept) // what is not there is not offered
	return kept.Agent
}

// fresh are the addresses that were seen from the first abuse on and not before.
func fresh(rows []keys.UsageRow, abuse time.Time) []string {
	before, out := map[string]bool{"": true}, []string{}
	for _, r := range rows {
		if abuse.IsZero() || r.At.Before(abuse) {
			before[r.Address] = true
			continue
		}
		if !before[r.Address] {
			before[r.Address] = true
			out = append(out, r.Address)
		}
	}
	return out
}
