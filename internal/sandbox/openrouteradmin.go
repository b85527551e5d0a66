package sandbox

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

const openrouterPageSize = 100

// openrouterAdmin routes /keys and /activity.
func (w *World) openrouterAdmin(c *call) reply {
	path := strings.TrimPrefix(c.r.URL.Path, "/api/v1")
	hash, one := strings.CutPrefix(path, "/keys/")
	switch {
	case one:
		return w.openrouterOne(c, hash)
	case c.r.Method == http.MethodGet && path == "/keys":
		return w.openrouterList(c)
	case c.r.Method == http.MethodPost && path == "/keys":
		return w.openrouterCreate(c)
	case c.r.Method == http.MethodGet && path == "/activity":
		return w.openrouterActivity(c)
	}
	return openrouterRefusal(http.StatusNotFound)
}

func (w *World) openrouterList(c *call) reply {
	query := c.r.URL.Query()
	offset := 0
	if text := query.Get("offset"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 {
			return openrouterError(http.StatusBadRequest, "offset must be a number from 0 on")
		}
		offset = n
	}
	data := []any{}
	for _, k := range part[openrouterState](w).keys {
		if k.deletedAt.IsZero() && (!k.disabled || query.Get("include_disabled") == "true") {
			data = append(data, w.openrouterView(k))
		}
	}
	data = data[min(offset, len(data)):]
	c.entry.Effect = EffectObserve
	return ok(map[string]any{"data": data[:min(openrouterPageSize, len(data))]})
}

func (w *World) openrouterOne(c *call, hash string) reply {
	k := w.openrouterKeyLocked(hash)
	if k == nil || !k.deletedAt.IsZero() {
		return openrouterError(http.StatusNotFound, "API key not found")
	}
	c.entry.Key = k.ID
	switch c.r.Method {
	case http.MethodGet:
		c.entry.Effect = EffectObserve
		return ok(map[string]any{"data": w.openrouterView(k)})
	case http.MethodPatch:
		return w.openrouterPatch(c, k)
	case http.MethodDelete:
		c.entry.Effect, k.deletedAt = EffectFinal, w.Now()
		if k.disabled { // what did not work before does not linger
			k.deletedAt = w.Now().Add(-w.RevocationDelay())
		}
		return ok(map[string]any{"deleted": true})
	}
	return openrouterRefusal(http.StatusMethodNotAllowed)
}

func (w *World) openrouterPatch(c *call, k *openrouterKey) reply {
	var body struct {
		Name     *string  `json:"name"`
		Disabled *bool    `json:"disabled"`
		Limit    *float64 `json:"limit"`
		Reset    *string  `json:"limit_reset"`
		BYOK     *bool    `json:"include_byok_in_limit"`
	}
	if refused := decodeOpenRouter(c.body, &body); refused != nil {
		return *refused
	}
	if body.Name != nil {
		k.Name = *body.Name
	}
	if body.Disabled != nil {
		k.disabled = *body.Disabled
	}
	if body.Limit != nil {
		k.want.Limit = body.Limit
	}
	k.updatedAt = w.Now()
	c.entry.Effect = EffectUndoable
	return ok(map[string]any{"data": w.openrouterView(k)})
}

func (w *World) openrouterCreate(c *call) reply {
	var body openrouterWanted
	if refused := decodeOpenRouter(c.body, &body); refused != nil {
		return *refused
	}
	if body.Name == "" || body.Reset != nil && !slices.Contains([]string{"daily", "weekly", "monthly"}, *body.Reset) {
		return openrouterError(http.StatusBadRequest, "name is required, and limit_reset is daily, weekly or monthly")
	}
	k := w.addOpenRouterKeyLocked(body, "")
	c.entry.Key, c.entry.Effect = k.ID, EffectUndoable
	return reply{status: http.StatusCreated, body: map[string]any{"data": w.openrouterView(k), "key": k.secret}}
}

// openrouterActivity tells days that are over, of the last thirty.
func (w *World) openrouterActivity(c *call) reply {
	query := c.r.URL.Query()
	today := w.Now().UTC().Truncate(24 * time.Hour)
	type line struct{ day, model string }
	sums := map[line]openrouterCall{}
	counts := map[line]int{}
	var order []line
	for _, call := range part[openrouterState](w).calls {
		at := call.at.UTC()
		if hash := query.Get("api_key_hash"); hash != "" && hash != call.key || !at.Before(today) || at.Before(today.AddDate(0, 0, -30)) {
			continue
		}
		l := line{at.Format(time.DateOnly), call.model}
		if counts[l] == 0 {
			order = append(order, l)
		}
		counts[l]++
		sum := sums[l]
		sum.input, sum.output, sum.usd = sum.input+call.input, sum.output+call.output, sum.usd+call.usd
		sums[l] = sum
	}
	data := []any{}
	for _, l := range order {
		data = append(data, map[string]any{
			"date": l.day, "model": l.model, "model_permaslug": l.model, "endpoint_id": "550e8400-e29b-41d4-a716-446655440000", "provider_name": "OpenAI", "usage": sums[l].usd,
			"byok_usage_inference": 0, "requests": counts[l], "prompt_tokens": sums[l].input, "completion_tokens": sums[l].output, "reasoning_tokens": 0, "workspace_id": openrouterWorkspace,
		})
	}
	c.entry.Effect = EffectObserve
	return ok(map[string]any{"data": data})
}
