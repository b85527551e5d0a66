package azureopenai

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/integrations/keys/tape"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

// The metrics of Azure Monitor that count use.
const (
	countCalls  = "AzureOpenAIRequests"
	countInput  = "ProcessedPromptTokens"
	countOutput = "GeneratedTokens"
)

func (p *Provider) resourceID() string {
	return "/subscriptions/" + p.cfg.Subscription + "/resourceGroups/" + p.cfg.ResourceGroup + "/providers/Microsoft.CognitiveServices/accounts/" + p.cfg.Resource
}

// get asks Azure Monitor, which the resource's own client does not cover. at is a path or the address of a next page; that
// one is followed only on the same host, because it carries our token.
func (p *Provider) get(ctx context.Context, what, at string, query url.Values, into any) error {
	address := p.cfg.ARM + at
	if strings.Contains(at, "://") {
		if !strings.HasPrefix(at, p.cfg.ARM+"/") {
			return keys.Permanent(fmt.Errorf("%s: the next page lies on another host", what))
		}
		address = at
	}
	return p.read(ctx, what, func() error {
		r, err := runtime.NewRequest(ctx, http.MethodGet, address)
		if err != nil {
			return err
		}
		if query != nil {
			r.Raw().URL.RawQuery = strings.ReplaceAll(query.Encode(), "+", "%20")
		}
		res, err := p.monitor.Pipeline().Do(r) //nolint:bodyclose // the pipeline reads the body and closes it
		if err != nil {
			return err
		}
		if !runtime.HasStatusCode(res, http.StatusOK) {
			return runtime.NewResponseError(res)
		}
		return runtime.UnmarshalAsJSON(res, into)
	})
}

// metricAnswer is the part that we read.
type metricAnswer struct {
	Value []struct {
		Name       struct{ Value string }
		Timeseries []struct {
			Metadatavalues []struct {
				Name  struct{ Value string }
				Value string
			}
			Data []struct {
				TimeStamp time.Time
				Total     float64
			}
		}
	}
}

// metrics counts calls and tokens by deployment, the last day by the minute and what lies before it by the hour.
func (p *Provider) metrics(ctx context.Context, since, until time.Time) (rows []keys.UsageRow, err error) {
	for _, w := range keys.Windows(since, until) {
		interval := map[time.Duration]string{time.Minute: "PT1M", time.Hour: "PT1H"}[w.Width]
		var got metricAnswer
		err := p.get(ctx, fmt.Sprintf("reading the metrics of %q", p.cfg.Resource), p.resourceID()+"/providers/microsoft.insights/metrics", url.Values{
			"api-version": {"2024-02-01"}, "metricnames": {strings.Join([]string{countCalls, countInput, countOutput}, ",")}, "aggregation": {"Total"}, "interval": {interval},
			"timespan": {w.From.UTC().Format(time.RFC3339) + "/" + w.To.UTC().Format(time.RFC3339)}, "$filter": {"ModelDeploymentName eq '*'"},
		}, &got)
		if err != nil {
			return nil, err
		}
		rows = append(rows, got.rows(w, p.cfg.MicroUSDPerRequest)...)
	}
	return rows, nil
}

// rows puts the three figures of a minute and a deployment together.
func (got metricAnswer) rows(w keys.Window, price int64) []keys.UsageRow {
	type place struct {
		at    time.Time
		model string
	}
	sums := map[place]*keys.UsageRow{}
	for _, m := range got.Value {
		for _, series := range m.Timeseries {
			model := ""
			for _, v := range series.Metadatavalues {
				model = v.Value
			}
			for _, d := range series.Data {
				if d.Total <= 0 || d.Total > 1e15 || w.Width == time.Hour && !d.TimeStamp.Before(w.To) { // the hour after the last one is told by minutes
					continue
				}
				at := place{d.TimeStamp.UTC(), model}
				if sums[at] == nil {
					sums[at] = &keys.UsageRow{At: at.at, Seconds: int64(w.Width.Seconds()), Model: model}
				}
				count(sums[at], m.Name.Value, int64(d.Total), price)
			}
		}
	}
	rows := make([]keys.UsageRow, 0, len(sums))
	for _, r := range sums {
		rows = append(rows, *r)
	}
	slices.SortFunc(rows, func(a, b keys.UsageRow) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Model, b.Model)) })
	return rows
}

// Usage is the use of the whole resource: Azure does not record which of the two keys was shown.
func (p *Provider) Usage(ctx context.Context, _ incident.Key, since, until time.Time) (keys.Usage, error) {
	recording, recorder := tape.Record(ctx)
	rows, err := p.metrics(recording, since, until)
	if err != nil {
		return keys.Usage{}, err
	}
	u := keys.Usage{Rows: rows, FirstAbuse: keys.FirstAbuse(rows, since), Raw: recorder.Evidence("azure-metrics"),
		CostKnown: p.cfg.MicroUSDPerRequest > 0, CostBasis: "unknown: no price per request is configured"}
	if u.CostKnown {
		u.CostBasis = "estimated from the calls of the whole resource and " + p.cfg.PriceBasis
	}
	for _, r := range rows {
		u.Requests, u.Tokens, u.MicroUSD = u.Requests+r.Requests, u.Tokens+r.Tokens, u.MicroUSD+r.MicroUSD
	}
	return u, nil
}

// mostPages bounds the activity log: 100 pages are more than a resource's administrators fill in 90 days.
const mostPages = 100

// Persistence lists what administrators did to the resource since: keys listed and regenerated, rights given, settings changed.
func (p *Provider) Persistence(ctx context.Context, _ incident.Key, since time.Time) ([]keys.Trace, []keys.Raw, error) {
	recording, recorder := tape.Record(ctx)
	at, query := "/subscriptions/"+p.cfg.Subscription+"/providers/microsoft.insights/eventtypes/management/values", url.Values{
		"api-version": {"2015-04-01"},
		"$filter":     {fmt.Sprintf("eventTimestamp ge '%s' and resourceUri eq '%s'", since.UTC().Format(time.RFC3339), p.resourceID())},
	}
	var traces []keys.Trace
	for range mostPages {
		var page struct {
			Value []struct {
				EventTimestamp        time.Time
				Caller                string
				OperationName, Status struct{ Value string }
				HTTPRequest           struct{ ClientIPAddress string } `json:"httpRequest"`
			}
			NextLink string
		}
		if err := p.get(recording, fmt.Sprintf("reading the activity log of %q", p.cfg.Resource), at, query, &page); err != nil {
			return nil, nil, err
		}
		for _, e := range page.Value {
			actor := e.Caller
			if a := e.HTTPRequest.ClientIPAddress; a != "" {
				actor += " from " + a
			}
			traces = append(traces, keys.Trace{Kind: "azure_operation", What: cut(e.OperationName.Value) + " " + cut(e.Status.Value), Actor: cut(actor), At: e.EventTimestamp.UTC()})
		}
		if at, query = page.NextLink, nil; at == "" {
			break
		}
	}
	if at != "" {
		traces = append(traces, keys.Trace{Kind: "incomplete", What: fmt.Sprintf("the activity log holds more than %d pages", mostPages), At: since})
	}
	return traces, recorder.Evidence("azure-activity-log"), nil
}

// count adds one figure to a row.
func count(row *keys.UsageRow, metric string, n, price int64) {
	if metric == countCalls {
		row.Requests += n
		row.MicroUSD += n * price
		return
	}
	row.Tokens += n
}
