package sandbox

import (
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

var (
	timeSeriesPath = regexp.MustCompile(`^/v3/projects/([^/]+)/timeSeries$`)
	monitoringTerm = regexp.MustCompile(`^([a-z_.]+) ?= ?"([^"]*)"$`)
)

const requestCount = "serviceruntime.googleapis.com/api/request_count"

// googleTimeSeries is Cloud Monitoring's projects.timeSeries.list for request counts per credential.
func (w *World) googleTimeSeries(c *call) reply {
	m, query := timeSeriesPath.FindStringSubmatch(c.r.URL.Path), c.r.URL.Query()
	if m == nil || c.r.Method != http.MethodGet {
		return googleError(http.StatusNotFound, "Method not found.", "")
	}
	p, known := w.google.projects[m[1]]
	if !known {
		return googleError(http.StatusForbidden, "Permission monitoring.timeSeries.list denied (or the resource may not exist).", "")
	}
	if refused := knownQuery(query, "filter", "interval.startTime", "interval.endTime", "aggregation.alignmentPeriod", "aggregation.perSeriesAligner", "aggregation.crossSeriesReducer", "aggregation.groupByFields", "view", "pageSize", "pageToken"); refused != nil {
		return *refused
	}
	start, errStart := time.Parse(time.RFC3339Nano, query.Get("interval.startTime"))
	end, errEnd := time.Parse(time.RFC3339Nano, query.Get("interval.endTime"))
	if errStart != nil || errEnd != nil || end.Before(start) {
		return googleError(http.StatusBadRequest, "Field interval had an invalid value.", "")
	}
	f, bad := monitoringFilter(query.Get("filter"))
	if bad != "" {
		return googleError(http.StatusBadRequest, "Field filter had an invalid value: "+bad, "")
	}
	var series []any
	switch {
	case f.metric == authentications:
		series = w.authentications(p, start, end, f)
	case f.service == "" || f.service == generativeService:
		series = w.requestCounts(p, start, end, f.credential)
	}
	if series == nil {
		series = []any{}
	}
	from, to, next := page(len(series), query.Get("pageSize"), query.Get("pageToken"), 100000)
	if from < 0 {
		return googleError(http.StatusBadRequest, "The page token is not valid.", "")
	}
	c.entry.Effect = EffectObserve
	return ok(map[string]any{"timeSeries": series[from:to], "nextPageToken": next, "unit": "1", "executionErrors": []any{}})
}

// monitoringTerms is a filter that was understood.
type monitoringTerms struct{ metric, credential, service, unique, key string }

// monitoringFilter reads the filter and says what it does not understand.
func monitoringFilter(text string) (f monitoringTerms, bad string) {
	resources := map[string]string{requestCount: "consumed_api", authentications: "iam_service_account"}
	resource := ""
	for _, term := range strings.Split(text, " AND ") {
		m := monitoringTerm.FindStringSubmatch(strings.TrimSpace(term))
		if m == nil {
			return f, "cannot parse " + term
		}
		field, known := map[string]*string{
			"metric.type": &f.metric, "resource.type": &resource, "resource.labels.service": &f.service, "resource.labels.credential_id": &f.credential,
			"resource.labels.unique_id": &f.unique, "metric.labels.key_id": &f.key,
		}[strings.Replace(m[1], ".label.", ".labels.", 1)]
		if !known {
			return f, "unknown field " + m[1]
		}
		*field = m[2]
	}
	want, known := resources[f.metric]
	if !known {
		return f, "it must name a metric type that exists"
	}
	if resource != "" && resource != want {
		return f, "the metric is not defined for resource type " + resource
	}
	return f, ""
}

type countKey struct {
	uid, method string
	code        int
}

// requestCounts is one series per credential, method and code; points are minutes, the newest first.
func (w *World) requestCounts(p *googleProject, start, end time.Time, credential string) []any {
	counts := map[countKey]map[time.Time]int64{}
	var order []countKey
	for _, u := range w.google.calls {
		if k := w.keyByUID(u.uid); k == nil || k.project != p || u.at.Before(start) || u.at.After(end) {
			continue
		}
		if credential != "" && credential != "apikey:"+u.uid {
			continue
		}
		key := countKey{u.uid, u.method, u.code}
		if counts[key] == nil {
			counts[key] = map[time.Time]int64{}
			order = append(order, key)
		}
		counts[key][u.at.UTC().Truncate(time.Minute)]++
	}
	out := []any{}
	for _, key := range order {
		out = append(out, map[string]any{
			"metric": map[string]any{"type": requestCount, "labels": map[string]string{"response_code": strconv.Itoa(key.code), "response_code_class": strconv.Itoa(key.code/100) + "xx"}},
			"resource": map[string]any{"type": "consumed_api", "labels": map[string]string{
				"project_id": p.id, "service": generativeService, "credential_id": "apikey:" + key.uid, "method": key.method, "location": "global", "version": "v1beta",
			}},
			"metricKind": "DELTA", "valueType": "INT64", "points": points(counts[key]),
		})
	}
	return out
}

func points(minutes map[time.Time]int64) []any {
	var at []time.Time
	for t := range minutes {
		at = append(at, t)
	}
	slices.SortFunc(at, func(a, b time.Time) int { return b.Compare(a) })
	out := []any{}
	for _, t := range at {
		out = append(out, map[string]any{
			"interval": map[string]string{"startTime": stamp(t), "endTime": stamp(t.Add(time.Minute))},
			"value":    map[string]string{"int64Value": strconv.FormatInt(minutes[t], 10)},
		})
	}
	return out
}

func (w *World) keyByUID(uid string) *googleKey {
	for _, k := range w.google.keys {
		if k.UID == uid {
			return k
		}
	}
	return nil
}
