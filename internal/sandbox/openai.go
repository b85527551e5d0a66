package sandbox

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
)

// Prices of the pretended models in dollars per million tokens: input, output.
var openaiPrices = map[string][2]float64{"gpt-5": {1.25, 10}, "gpt-5-mini": {0.25, 2}}

// OpenAI serves the admin API under /v1/organization and the model API beside it.
func (w *World) OpenAI() http.Handler {
	admin := w.serve("openai-admin", openaiRefusal, func(c *call) reply {
		if !w.openaiAdminKnown(c) {
			return openaiError(http.StatusUnauthorized, "invalid_request_error", "invalid_api_key", "Incorrect API key provided. You need an admin key for this call.")
		}
		return w.openaiAdmin(c)
	})
	model := w.serve("openai", openaiRefusal, w.openaiModel)
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("x-request-id", "req_"+randomText(lowerAlphabet, 24))
		if strings.HasPrefix(r.URL.Path, "/v1/organization/") {
			admin.ServeHTTP(rw, r)
			return
		}
		model.ServeHTTP(rw, r)
	})
}

// openaiAdmin routes /v1/organization/….
func (w *World) openaiAdmin(c *call) reply {
	parts := strings.Split(strings.TrimPrefix(c.r.URL.Path, "/v1/organization/"), "/")
	if parts[0] == "admin_api_keys" {
		return w.openaiAdminKeys(c, parts[1:])
	}
	if parts[0] != "projects" {
		return w.openaiReports(c, strings.Join(parts, "/"))
	}
	if len(parts) < 3 {
		return openaiRefusal(http.StatusNotFound)
	}
	p, known := w.openai.projects[parts[1]]
	if !known {
		return openaiError(http.StatusNotFound, "invalid_request_error", "not_found", "No such project.")
	}
	rest := parts[3:]
	switch parts[2] {
	case "api_keys":
		return w.openaiKeys(c, p, rest)
	case "service_accounts":
		return w.openaiAccounts(c, p, rest)
	case "spend_limit":
		return w.openaiLimit(c, p)
	case "model_permissions":
		return w.openaiPermissions(c, p)
	case "rate_limits":
		return w.openaiRates(c, p, rest)
	}
	return openaiRefusal(http.StatusNotFound)
}

// decodeOpenAI reads a JSON body; OpenAI refuses unknown parameters.
func decodeOpenAI(body []byte, into any) *reply {
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		refused := openaiError(http.StatusBadRequest, "invalid_request_error", "unknown_parameter", "The body cannot be read: "+err.Error())
		return &refused
	}
	return nil
}

// openaiList cuts a list by after and limit; each item has an id.
func openaiList(query url.Values, items []map[string]any) reply {
	limit, from := 20, 0
	if text := query.Get("limit"); text != "" {
		n := json.Number(text)
		v, err := n.Int64()
		if err != nil || v < 1 || v > 100 {
			return openaiError(http.StatusBadRequest, "invalid_request_error", "", "limit must be between 1 and 100.")
		}
		limit = int(v)
	}
	if after := query.Get("after"); after != "" {
		for i, item := range items {
			if item["id"] == after {
				from = i + 1
			}
		}
	}
	end := min(from+limit, len(items))
	data := append([]map[string]any{}, items[from:end]...)
	out := map[string]any{"object": "list", "data": data, "has_more": end < len(items), "first_id": "", "last_id": ""}
	if len(data) > 0 {
		out["first_id"], out["last_id"] = data[0]["id"], data[len(data)-1]["id"]
	}
	return ok(out)
}

// openaiModel is the model API: chat completions and the model list.
func (w *World) openaiModel(c *call) reply {
	invalid := openaiError(http.StatusUnauthorized, "invalid_request_error", "invalid_api_key", "Incorrect API key provided. You can find your API key at https://platform.openai.com/account/api-keys.")
	known, found := w.values[strings.TrimPrefix(c.r.Header.Get("Authorization"), "Bearer ")]
	if !found || known.Provider != "openai" {
		return invalid
	}
	c.entry.Key = known.ID
	if w.dead(known) {
		return invalid
	}
	k := w.openaiKeyLocked(known.ID)
	switch {
	case c.r.Method == http.MethodGet && c.r.URL.Path == "/v1/models":
		c.entry.Effect = EffectObserve
		var models []map[string]any
		for name := range openaiPrices {
			models = append(models, map[string]any{"id": name, "object": "model", "owned_by": "system", "created": 1})
		}
		return ok(map[string]any{"object": "list", "data": models})
	case c.r.Method == http.MethodPost && c.r.URL.Path == "/v1/chat/completions":
		return w.complete(c, k)
	case c.r.Method == http.MethodPost && c.r.URL.Path == "/v1/embeddings":
		return w.embed(c, k)
	}
	return openaiRefusal(http.StatusNotFound)
}

// complete answers a model call unless the project's limit or permissions forbid it, and charges for it.
func (w *World) complete(c *call, k *openaiKey) reply {
	body, input, output, err := readChat(c.body)
	if err != nil {
		return openaiError(http.StatusBadRequest, "invalid_request_error", "unknown_parameter", "The body cannot be read: "+err.Error())
	}
	price, known := openaiPrices[body.Model]
	p := w.openai.projects[k.Project]
	switch {
	case !known:
		return openaiError(http.StatusNotFound, "invalid_request_error", "model_not_found", "The model does not exist or you do not have access to it.")
	case p.denies(body.Model):
		return openaiError(http.StatusForbidden, "invalid_request_error", "model_not_found", "Project does not have access to the model.")
	case p.limitCents > 0 && w.spentCents(p.id) >= float64(p.limitCents):
		return openaiError(http.StatusTooManyRequests, "insufficient_quota", "insufficient_quota", "You exceeded your current quota, please check your plan and billing details.")
	}
	charge(c, (float64(input)*price[0]+float64(output)*price[1])/1e6)
	w.openai.calls = append(w.openai.calls, openaiCall{c.entry.T, k.ID, p.id, body.Model, input, output, c.entry.USD, false})
	return ok(completion(c, body.Model, input, output))
}

const embeddingModel, embeddingPrice = "text-embedding-3-large", 0.13 // dollars per million tokens

// embed answers with a vector: a thief need not chat.
func (w *World) embed(c *call, k *openaiKey) reply {
	var body struct {
		Model string   `json:"model"`
		Input []string `json:"input"`
	}
	if refused := decodeOpenAI(c.body, &body); refused != nil {
		return *refused
	}
	p := w.openai.projects[k.Project]
	switch {
	case body.Model != embeddingModel:
		return openaiError(http.StatusNotFound, "invalid_request_error", "model_not_found", "The model does not exist or you do not have access to it.")
	case p.denies(body.Model):
		return openaiError(http.StatusForbidden, "invalid_request_error", "model_not_found", "Project does not have access to the model.")
	case p.limitCents > 0 && w.spentCents(p.id) >= float64(p.limitCents):
		return openaiError(http.StatusTooManyRequests, "insufficient_quota", "insufficient_quota", "You exceeded your current quota, please check your plan and billing details.")
	}
	input := 0
	for _, text := range body.Input {
		input += len(strings.Fields(text))
	}
	charge(c, float64(input)*embeddingPrice/1e6)
	w.openai.calls = append(w.openai.calls, openaiCall{c.entry.T, k.ID, p.id, body.Model, input, 0, c.entry.USD, true})
	return ok(map[string]any{
		"object": "list", "model": body.Model, "data": []any{map[string]any{"object": "embedding", "index": 0, "embedding": []float64{0}}},
		"usage": map[string]int{"prompt_tokens": input, "total_tokens": input},
	})
}
