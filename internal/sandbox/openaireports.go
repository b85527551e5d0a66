package sandbox

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"
)

// openaiReports is usage, costs and audit logs.
func (w *World) openaiReports(c *call, path string) reply {
	if c.r.Method != http.MethodGet {
		return openaiRefusal(http.StatusNotFound)
	}
	query := c.r.URL.Query()
	c.entry.Effect = EffectObserve
	switch path {
	case "usage/completions":
		return w.openaiBuckets(query, map[string]time.Duration{"1m": time.Minute, "1h": time.Hour, "1d": 24 * time.Hour}, w.usageResults)
	case "usage/embeddings", "usage/moderations", "usage/images", "usage/audio_speeches", "usage/audio_transcriptions",
		"usage/file_search_calls", "usage/web_search_calls", "usage/vector_stores", "usage/code_interpreter_sessions":
		return w.openaiBuckets(query, map[string]time.Duration{"1m": time.Minute, "1h": time.Hour, "1d": 24 * time.Hour}, w.otherResults(path))
	case "costs":
		return w.openaiBuckets(query, map[string]time.Duration{"1d": 24 * time.Hour}, w.costResults)
	case "audit_logs":
		return w.openaiAuditLogs(query)
	}
	return openaiRefusal(http.StatusNotFound)
}

// many reads a repeated parameter in both styles that clients use.
func many(query url.Values, name string) []string {
	return append(append([]string{}, query[name]...), query[name+"[]"]...)
}

// openaiBuckets cuts the calls into buckets of the width that was asked for; only buckets with calls have results.
func (w *World) openaiBuckets(query url.Values, widths map[string]time.Duration, results func([]openaiCall, []string) []any) reply {
	start, err := strconv.ParseInt(query.Get("start_time"), 10, 64)
	if err != nil {
		return openaiError(http.StatusBadRequest, "invalid_request_error", "missing_required_parameter", "Missing required parameter: 'start_time'.")
	}
	end, err := strconv.ParseInt(query.Get("end_time"), 10, 64)
	if err != nil {
		end = w.Now().Unix() + 1
	}
	name := query.Get("bucket_width")
	if name == "" {
		name = "1d"
	}
	width, known := widths[name]
	limits := map[string]int{"1m": 1440, "1h": 168, "1d": 180}
	limit, err := strconv.Atoi(query.Get("limit"))
	if query.Get("limit") == "" {
		limit, err = map[string]int{"1m": 60, "1h": 24, "1d": 7}[name], nil
	}
	if !known || err != nil || limit < 1 || limit > limits[name] {
		return openaiError(http.StatusBadRequest, "invalid_request_error", "invalid_value", "bucket_width or limit is not allowed here.")
	}
	from := time.Unix(start, 0).UTC().Truncate(width)
	if p := query.Get("page"); p != "" {
		at, err := strconv.ParseInt(p, 10, 64)
		if err != nil {
			return openaiError(http.StatusBadRequest, "invalid_request_error", "invalid_value", "page is not a cursor.")
		}
		from = time.Unix(at, 0).UTC()
	}
	data, until := []any{}, time.Unix(end, 0)
	keys, projects, group := many(query, "api_key_ids"), many(query, "project_ids"), many(query, "group_by")
	for ; len(data) < limit && from.Before(until); from = from.Add(width) {
		var in []openaiCall
		for _, call := range w.openai.calls {
			inside := !call.at.Before(from) && call.at.Before(from.Add(width))
			if inside && (len(keys) == 0 || slices.Contains(keys, call.key)) && (len(projects) == 0 || slices.Contains(projects, call.project)) {
				in = append(in, call)
			}
		}
		data = append(data, map[string]any{"object": "bucket", "start_time": from.Unix(), "end_time": from.Add(width).Unix(), "results": results(in, group)})
	}
	out := map[string]any{"object": "page", "data": data, "has_more": from.Before(until), "next_page": nil}
	if from.Before(until) {
		out["next_page"] = strconv.FormatInt(from.Unix(), 10)
	}
	return ok(out)
}

type openaiGroup struct{ key, project, model any }

// grouped splits calls by the fields of group; a field that is not asked for stays null.
func grouped(calls []openaiCall, group []string) (order []openaiGroup, parts map[openaiGroup][]openaiCall) {
	parts = map[openaiGroup][]openaiCall{}
	for _, c := range calls {
		var g openaiGroup
		if slices.Contains(group, "api_key_id") {
			g.key = c.key
		}
		if slices.Contains(group, "project_id") {
			g.project = c.project
		}
		if slices.Contains(group, "model") {
			g.model = c.model
		}
		if _, seen := parts[g]; !seen {
			order = append(order, g)
		}
		parts[g] = append(parts[g], c)
	}
	return order, parts
}

// otherResults counts the calls of another report than completions; this world offers embeddings alone.
func (w *World) otherResults(path string) func([]openaiCall, []string) []any {
	return func(calls []openaiCall, group []string) []any {
		out := []any{}
		if path != "usage/embeddings" {
			return out
		}
		order, parts := grouped(calls, group)
		for _, g := range order {
			input, n := 0, 0
			for _, c := range parts[g] {
				if c.embeds {
					input, n = input+c.input, n+1
				}
			}
			if n > 0 {
				out = append(out, map[string]any{"object": "organization.usage.embeddings.result", "input_tokens": input, "num_model_requests": n,
					"project_id": g.project, "user_id": nil, "api_key_id": g.key, "model": g.model})
			}
		}
		return out
	}
}

func (w *World) usageResults(calls []openaiCall, group []string) []any {
	out := []any{}
	order, parts := grouped(calls, group)
	for _, g := range order {
		input, output, n := 0, 0, 0
		for _, c := range parts[g] {
			if !c.embeds {
				input, output, n = input+c.input, output+c.output, n+1
			}
		}
		if n == 0 {
			continue
		}
		out = append(out, map[string]any{
			"object": "organization.usage.completions.result", "input_tokens": input, "output_tokens": output, "input_cached_tokens": 0,
			"input_audio_tokens": 0, "output_audio_tokens": 0, "num_model_requests": n, "project_id": g.project, "user_id": nil,
			"api_key_id": g.key, "model": g.model, "batch": nil, "service_tier": nil,
		})
	}
	return out
}

func (w *World) costResults(calls []openaiCall, group []string) []any {
	out := []any{}
	order, parts := grouped(calls, group)
	for _, g := range order {
		sum := 0.0
		for _, c := range parts[g] {
			sum += c.usd
		}
		out = append(out, map[string]any{
			"object": "organization.costs.result", "amount": map[string]any{"value": sum, "currency": "usd"},
			"line_item": nil, "project_id": g.project, "api_key_id": g.key, "quantity": nil,
		})
	}
	return out
}

func (w *World) openaiAuditLogs(query url.Values) reply {
	since, _ := strconv.ParseInt(query.Get("effective_at[gte]"), 10, 64)
	projects, kinds := many(query, "project_ids"), many(query, "event_types")
	var items []map[string]any
	for i, a := range w.openai.audit {
		if a.at.Unix() < since || len(projects) > 0 && !slices.Contains(projects, a.project) || len(kinds) > 0 && !slices.Contains(kinds, a.kind) {
			continue
		}
		items = append(items, map[string]any{
			"id": "audit_log-" + strconv.Itoa(i), "type": a.kind, "effective_at": a.at.Unix(), "project": map[string]string{"id": a.project, "name": a.project},
			"actor": map[string]any{"type": "session", "session": map[string]any{"user": map[string]string{"id": "user_1", "email": a.email}, "ip_address": "203.0.113.7"}},
			a.kind:  map[string]any{"id": a.target, "data": map[string]any{}},
		})
	}
	slices.Reverse(items)
	return openaiList(query, items)
}
