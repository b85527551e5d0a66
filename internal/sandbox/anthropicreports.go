package sandbox

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"
)

// anthropicWidth is how long a bucket is and how many a page may hold.
type anthropicWidth struct {
	span        time.Duration
	usual, most int
}

var anthropicWidths = map[string]anthropicWidth{"1m": {time.Minute, 60, 1440}, "1h": {time.Hour, 24, 168}, "1d": {24 * time.Hour, 7, 31}}

func (w *World) anthropicUsage(c *call) reply {
	query := c.r.URL.Query()
	known := []string{"account_id", "api_key_id", "context_window", "inference_geo", "model", "service_account_id", "service_tier", "speed", "workspace_id"}
	for _, g := range query["group_by[]"] {
		if !slices.Contains(known, g) {
			return anthropicError(http.StatusBadRequest, "invalid_request_error", "group_by: "+g+" is not a group")
		}
	}
	c.entry.Effect = EffectObserve
	ids := query["api_key_ids[]"]
	return w.anthropicBuckets(query, anthropicWidths, func(calls []anthropicCall) []any {
		byModel := map[string][2]int{}
		for _, call := range calls {
			if len(ids) == 0 || slices.Contains(ids, call.key) {
				name := ""
				if slices.Contains(query["group_by[]"], "model") {
					name = call.model
				}
				byModel[name] = [2]int{byModel[name][0] + call.input, byModel[name][1] + call.output}
			}
		}
		out := []any{}
		for name, n := range byModel {
			out = append(out, map[string]any{
				"uncached_input_tokens": n[0], "cache_read_input_tokens": 0, "cache_creation": map[string]int{"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0},
				"output_tokens": n[1], "server_tool_use": map[string]int{"web_search_requests": 0}, "model": orNull(name), "api_key_id": nil, "workspace_id": nil,
				"service_tier": nil, "context_window": nil, "inference_geo": onlyGrouped(query, "inference_geo", "global"),
			})
		}
		return out
	})
}

// anthropicCosts are whole days; amounts are decimal strings in cents.
func (w *World) anthropicCosts(c *call) reply {
	c.entry.Effect = EffectObserve
	return w.anthropicBuckets(c.r.URL.Query(), map[string]anthropicWidth{"1d": anthropicWidths["1d"]}, func(calls []anthropicCall) []any {
		byWorkspace := map[string]float64{}
		for _, call := range calls {
			byWorkspace[call.workspace] += call.usd
		}
		out := []any{}
		for workspace, usd := range byWorkspace {
			out = append(out, map[string]any{"currency": "USD", "amount": strconv.FormatFloat(usd*100, 'f', 4, 64), "workspace_id": orNull(workspace), "description": nil, "cost_type": nil, "model": nil})
		}
		return out
	})
}

func orNull(text string) any {
	if text == "" {
		return nil
	}
	return text
}

// onlyGrouped is a value that only shows where the query groups by it.
func onlyGrouped(query url.Values, name, value string) any {
	if slices.Contains(query["group_by[]"], name) {
		return value
	}
	return nil
}

// anthropicBuckets cuts the calls into buckets.
func (w *World) anthropicBuckets(query url.Values, widths map[string]anthropicWidth, results func([]anthropicCall) []any) reply {
	bad := func(what string) reply { return anthropicError(http.StatusBadRequest, "invalid_request_error", what) }
	start, err := time.Parse(time.RFC3339, query.Get("starting_at"))
	if err != nil {
		return bad("starting_at: Field required, as RFC 3339")
	}
	end := w.Now()
	if text := query.Get("ending_at"); text != "" {
		if end, err = time.Parse(time.RFC3339, text); err != nil || !end.After(start) {
			return bad("ending_at: Input should be later than starting_at")
		}
	}
	name := query.Get("bucket_width")
	if name == "" {
		name = "1d"
	}
	width, known := widths[name]
	limit := width.usual
	if text := query.Get("limit"); text != "" {
		limit, err = strconv.Atoi(text)
	}
	if !known || err != nil || limit < 1 || limit > width.most {
		return bad("bucket_width or limit is not allowed here")
	}
	from := start.UTC().Truncate(width.span)
	if at := query.Get("page"); at != "" {
		if from, err = time.Parse("page_20060102T150405Z", at); err != nil {
			return bad("page: Input should be a token of this report")
		}
	}
	data := []any{}
	for ; len(data) < limit && from.Before(end); from = from.Add(width.span) {
		var in []anthropicCall
		for _, call := range part[anthropicState](w).calls {
			if !call.at.Before(from) && call.at.Before(from.Add(width.span)) {
				in = append(in, call)
			}
		}
		data = append(data, map[string]any{"starting_at": from.Format(time.RFC3339), "ending_at": from.Add(width.span).Format(time.RFC3339), "results": results(in)})
	}
	out := map[string]any{"data": data, "has_more": from.Before(end), "next_page": nil}
	if from.Before(end) {
		out["next_page"] = from.UTC().Format("page_20060102T150405Z")
	}
	return ok(out)
}
