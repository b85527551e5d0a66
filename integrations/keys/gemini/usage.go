package gemini

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	monitoring "google.golang.org/api/monitoring/v3"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

// Usage reads the requests that Google counted under the key's uid, by minute, method and response code. Google
// tells no tokens, models or addresses per key; money is an estimate from the configured price of one model call,
// and only calls that succeeded are priced.
func (p *Provider) Usage(ctx context.Context, key incident.Key, since, until time.Time) (keys.Usage, error) {
	if key.UID == "" {
		return keys.Usage{}, keys.Permanent(fmt.Errorf("the use of key %q cannot be read: Google counts under the key's uid, which is not known; identify the key first", key.ID))
	}
	recorder := &tape{}
	ctx = context.WithValue(ctx, tapeKey{}, recorder)
	filter := fmt.Sprintf("metric.type=%q AND resource.type=\"consumed_api\" AND resource.labels.service=%q AND resource.labels.credential_id=%q",
		"serviceruntime.googleapis.com/api/request_count", generativeService, "apikey:"+key.UID)
	account := isAccountKey(key.ID)
	if account {
		filter = accountFilter(key)
	}
	var rows []keys.UsageRow
	err := p.read(ctx, fmt.Sprintf("reading the use of key %q", key.ID), func() error {
		rows, recorder.bodies = nil, nil
		return p.monitoring.Projects.TimeSeries.List("projects/"+p.project(key)).Filter(filter).
			IntervalStartTime(since.UTC().Format(time.RFC3339Nano)).IntervalEndTime(until.UTC().Format(time.RFC3339Nano)).
			AggregationAlignmentPeriod("60s").AggregationPerSeriesAligner("ALIGN_SUM").View("FULL").
			Pages(ctx, func(page *monitoring.ListTimeSeriesResponse) error {
				for _, series := range page.TimeSeries {
					if account {
						rows = append(rows, accountRows(series)...)
						continue
					}
					rows = append(rows, p.rows(series)...)
				}
				return nil
			})
	})
	if err != nil {
		return keys.Usage{}, err
	}
	u := p.sum(rows, since, recorder)
	if account {
		u.CostKnown, u.CostBasis, u.Incomplete = false, "unknown: "+authenticationsOnly, authenticationsOnly
	}
	return u, nil
}

// probing is the call by which thieves are known to try a Google key: it lists files, costs nothing and works only where the
// Gemini API does.
const probing = "FileService.ListFiles"

// rows turns one series into rows; Google sends its points newest first.
func (p *Provider) rows(series *monitoring.TimeSeries) []keys.UsageRow {
	if series.Resource == nil || series.Metric == nil {
		return nil
	}
	method, code, region := series.Resource.Labels["method"], series.Metric.Labels["response_code"], series.Resource.Labels["location"]
	var rows []keys.UsageRow
	for _, point := range series.Points {
		at, n, fits := pointOf(point)
		if !fits {
			continue
		}
		row := keys.UsageRow{At: at, Seconds: 60, Requests: n, Method: method, Code: code, Region: region, Probing: strings.HasSuffix(method, probing)}
		if strings.HasPrefix(code, "2") && strings.Contains(method, "Generate") {
			row.MicroUSD = row.Requests * p.cfg.MicroUSDPerRequest
		}
		rows = append(rows, row)
	}
	return rows
}

// pointOf reads one count and the time at which it begins.
func pointOf(point *monitoring.Point) (at time.Time, n int64, fits bool) {
	if point == nil || point.Value == nil || point.Value.Int64Value == nil || point.Interval == nil {
		return at, 0, false
	}
	text := point.Interval.StartTime
	if text == "" {
		text = point.Interval.EndTime
	}
	at, err := time.Parse(time.RFC3339Nano, text)
	return at.UTC(), *point.Value.Int64Value, err == nil
}

func (p *Provider) sum(rows []keys.UsageRow, since time.Time, recorder *tape) keys.Usage {
	slices.SortStableFunc(rows, func(a, b keys.UsageRow) int { return a.At.Compare(b.At) })
	u := keys.Usage{Rows: rows, CostKnown: p.cfg.MicroUSDPerRequest > 0, CostBasis: "unknown: no price per request is configured", FirstAbuse: keys.Begin(rows, since), NoTokens: true}
	if u.CostKnown {
		u.CostBasis = "estimated from request counts and " + p.cfg.PriceBasis
	}
	for _, row := range rows {
		u.Requests += row.Requests
		u.MicroUSD += row.MicroUSD
	}
	u.Raw = evidence("monitoring-timeseries", recorder)
	return u
}

func evidence(name string, recorder *tape) []keys.Raw {
	var out []keys.Raw
	for i, body := range recorder.bodies {
		out = append(out, keys.Raw{Name: fmt.Sprintf("%s-%d.json", name, i+1), Body: body})
	}
	return out
}
