package sandbox

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"time"
)

// Prices of the pretended models in dollars per million tokens: input, output.
var anthropicPrices = map[string][2]float64{"claude-sonnet-5": {2, 10}, "claude-haiku-4-5": {1, 5}}

// anthropicState is what the pretended Anthropic organisation remembers.
type anthropicState struct {
	keys    []*anthropicKey // oldest first, archived ones too
	calls   []anthropicCall
	invites []anthropicInvite
}

type anthropicKey struct {
	Key
	status, workspace, by string
}

type anthropicCall struct {
	at                    time.Time
	key, workspace, model string
	input, output         int
	usd                   float64
}

type anthropicInvite struct {
	id, email, role string
	at              time.Time
}

// AnthropicKey says what key to put into the world.
type AnthropicKey struct {
	Workspace string
	Name      string
	Value     string // optional; for ambiguous hints a test may choose it
	By        string // who made it
	Expired   bool
}

// NewAnthropicKey creates a key as somebody does in Anthropic's console: there is no call for it.
func (w *World) NewAnthropicKey(want AnthropicKey) Key {
	w.mu.Lock()
	defer w.mu.Unlock()
	if want.Value == "" {
		want.Value = "sk-ant-" + "api03-" + randomText(fullAlphabet, 91) + "AA"
	}
	if want.By == "" {
		want.By = "user_owner"
	}
	k := &anthropicKey{status: "active", workspace: want.Workspace, by: want.By, Key: Key{
		Provider: "anthropic", Project: want.Workspace, ID: "apikey_" + randomText(fullAlphabet, 24), Name: want.Name, secret: want.Value, createdAt: w.Now(),
	}}
	if want.Expired {
		k.status = "expired"
	}
	s := part[anthropicState](w)
	s.keys = append(s.keys, k)
	w.values[want.Value] = &k.Key
	return k.Key
}

// InviteToAnthropic is somebody inviting another person into the organisation.
func (w *World) InviteToAnthropic(email, role string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := part[anthropicState](w)
	s.invites = append(s.invites, anthropicInvite{"invite_" + randomText(fullAlphabet, 20), email, role, w.Now()})
}

// Anthropic serves the Admin API under /v1/organizations and the model API beside it.
func (w *World) Anthropic() http.Handler {
	admin := w.serve("anthropic-admin", anthropicRefusal, func(c *call) reply {
		if refused := anthropicHead(c, w.opt.Admin); refused != nil {
			return *refused
		}
		c.entry.Actor = ActorResponder
		return w.anthropicAdmin(c)
	})
	model := w.serve("anthropic", anthropicRefusal, w.anthropicModel)
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("request-id", "req_"+randomText(fullAlphabet, 24))
		if strings.HasPrefix(r.URL.Path, "/v1/organizations/") {
			admin.ServeHTTP(rw, r)
			return
		}
		model.ServeHTTP(rw, r)
	})
}

// anthropicHead checks version and key; an empty key takes any.
func anthropicHead(c *call, key string) *reply {
	var refused reply
	switch {
	case c.r.Header.Get("anthropic-version") == "":
		refused = anthropicError(http.StatusBadRequest, "invalid_request_error", "anthropic-version: header is required")
	case c.r.Header.Get("X-Api-Key") == "" || key != "" && c.r.Header.Get("X-Api-Key") != key:
		refused = anthropicError(http.StatusUnauthorized, "authentication_error", "invalid x-api-key")
	default:
		return nil
	}
	return &refused
}

// anthropicModel is the model API: messages and the model list.
func (w *World) anthropicModel(c *call) reply {
	if refused := anthropicHead(c, ""); refused != nil {
		return *refused
	}
	known, found := w.values[c.r.Header.Get("X-Api-Key")]
	if !found || known.Provider != "anthropic" {
		return anthropicError(http.StatusUnauthorized, "authentication_error", "invalid x-api-key")
	}
	c.entry.Key = known.ID
	k := w.anthropicKeyLocked(known.ID)
	if k.status != "active" && (k.status != "archived" || w.dead(&k.Key)) {
		return anthropicError(http.StatusUnauthorized, "authentication_error", "invalid x-api-key")
	}
	switch c.r.Method + c.r.URL.Path {
	case "GET/v1/models":
		c.entry.Effect = EffectObserve
		data := []any{}
		for name := range anthropicPrices {
			data = append(data, anthropicModel(name))
		}
		return ok(map[string]any{"data": data, "has_more": false, "first_id": nil, "last_id": nil})
	case "POST/v1/messages":
		return w.anthropicMessage(c, k)
	}
	return anthropicRefusal(http.StatusNotFound)
}

// anthropicModel is a model as the catalogue lists it.
func anthropicModel(name string) map[string]any {
	able := func(names ...string) map[string]any {
		out := map[string]any{"supported": true}
		for _, n := range names {
			out[n] = map[string]any{"supported": true}
		}
		return out
	}
	types := able("adaptive", "between_tools", "disabled", "enabled")
	delete(types, "supported")
	return map[string]any{
		"type": "model", "id": name, "display_name": name, "created_at": "2025-10-01T00:00:00Z", "lifecycle": "active", "deprecated_at": nil, "retires_at": nil,
		"line": strings.Split(name, "-")[1], "max_input_tokens": 200000, "max_tokens": 64000,
		"capabilities": map[string]any{
			"batch": able(), "citations": able(), "code_execution": able(), "image_input": able(), "pdf_input": able(), "structured_outputs": able(),
			"context_management": able("clear_thinking_20251015", "clear_tool_uses_20250919", "compact_20260112"), "effort": able("high", "low", "max", "medium", "xhigh"),
			"server_tools": able("code_execution", "web_search"), "thinking": map[string]any{"supported": true, "types": types},
		},
	}
}

// anthropicMessage answers a model call and charges for it.
func (w *World) anthropicMessage(c *call, k *anthropicKey) reply {
	var body struct {
		Model     string `json:"model"`
		MaxTokens int    `json:"max_tokens"`
		Messages  []struct {
			Role    string `json:"role"`
			Content string `json:"content"`
		} `json:"messages"`
	}
	if refused := decodeAnthropic(c.body, &body); refused != nil {
		return *refused
	}
	price, known := anthropicPrices[body.Model]
	switch {
	case !known:
		return anthropicError(http.StatusNotFound, "not_found_error", "model: "+body.Model)
	case body.MaxTokens < 1 || len(body.Messages) == 0:
		return anthropicError(http.StatusBadRequest, "invalid_request_error", "max_tokens and messages: Field required")
	}
	input, output := 0, min(body.MaxTokens, maxOutputTokens)
	for _, m := range body.Messages {
		input += len(strings.Fields(m.Content))
	}
	charge(c, (float64(input)*price[0]+float64(output)*price[1])/1e6)
	s := part[anthropicState](w)
	s.calls = append(s.calls, anthropicCall{c.entry.T, k.ID, k.workspace, body.Model, input, output, c.entry.USD})
	return ok(map[string]any{
		"id": "msg_" + randomText(fullAlphabet, 24), "type": "message", "role": "assistant", "model": body.Model, "stop_reason": "end_turn", "stop_sequence": nil,
		"content": []any{map[string]string{"type": "text", "text": "Certainly."}}, "usage": map[string]int{"input_tokens": input, "output_tokens": output},
	})
}

func (w *World) anthropicKeyLocked(id string) *anthropicKey {
	for _, k := range part[anthropicState](w).keys {
		if k.ID == id {
			return k
		}
	}
	return nil
}

func decodeAnthropic(body []byte, into any) *reply {
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		refused := anthropicError(http.StatusBadRequest, "invalid_request_error", strings.TrimPrefix(err.Error(), "json: ")+": Extra inputs are not permitted")
		return &refused
	}
	return nil
}

// anthropicError is an error in Anthropic's shape.
func anthropicError(status int, kind, message string) reply {
	return reply{status: status, body: map[string]any{
		"type": "error", "error": map[string]string{"type": kind, "message": message}, "request_id": "req_" + randomText(fullAlphabet, 24),
	}}
}

func anthropicRefusal(status int) reply {
	kind := "invalid_request_error"
	switch {
	case status == http.StatusUnauthorized:
		kind = "authentication_error"
	case status == http.StatusForbidden:
		kind = "permission_error"
	case status == http.StatusNotFound:
		kind = "not_found_error"
	case status == http.StatusTooManyRequests:
		kind = "rate_limit_error"
	case status == 529:
		kind = "overloaded_error"
	case status >= 500:
		kind = "api_error"
	}
	return anthropicError(status, kind, http.StatusText(status))
}
