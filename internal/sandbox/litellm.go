package sandbox

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net"
	"net/http"
	"strings"
	"time"
)

// litellmState is what a pretended LiteLLM proxy remembers.
type litellmState struct {
	keys  []*litellmKey // oldest first, deleted ones too
	calls []litellmCall
}

type litellmKey struct {
	Key
	blocked bool
	by      string
	want    litellmWanted
}

// litellmWanted is the body of /key/generate; the proxy ignores what it does not know.
type litellmWanted struct {
	Alias     string          `json:"key_alias"`
	Team      *string         `json:"team_id"`
	User      *string         `json:"user_id"`
	Models    []string        `json:"models"`
	MaxBudget *float64        `json:"max_budget"`
	Period    *string         `json:"budget_duration"`
	TPM       *int64          `json:"tpm_limit"`
	RPM       *int64          `json:"rpm_limit"`
	Metadata  json.RawMessage `json:"metadata"`
}

type litellmCall struct {
	at                         time.Time
	key, model, address, agent string
	input, output              int
	usd                        float64
	request                    string
}

// LiteLLMKey says what key to put into the world.
type LiteLLMKey struct {
	Alias  string
	Models []string
	RPM    int64
	Value  string // optional; for ambiguous hints a test may choose it
}

// NewLiteLLMKey generates a key as if an operator had done so.
func (w *World) NewLiteLLMKey(want LiteLLMKey) Key {
	w.mu.Lock()
	defer w.mu.Unlock()
	body := litellmWanted{Alias: want.Alias, Models: want.Models}
	if want.RPM > 0 {
		body.RPM = &want.RPM
	}
	return w.addLiteLLMKeyLocked(body, want.Value, "owner").Key
}

func (w *World) addLiteLLMKeyLocked(want litellmWanted, value, by string) *litellmKey {
	if value == "" {
		value = "sk-" + randomText(fullAlphabet, 22)
	}
	sum := sha256.Sum256([]byte(value))
	k := &litellmKey{by: by, want: want, Key: Key{Provider: "litellm", ID: hex.EncodeToString(sum[:]), Name: want.Alias, secret: value, createdAt: w.Now()}}
	s := part[litellmState](w)
	s.keys = append(s.keys, k)
	w.values[value] = &k.Key
	return k
}

// LiteLLM serves key management and the model API on one address, as the proxy does.
func (w *World) LiteLLM() http.Handler {
	admin := w.serve("litellm-admin", litellmRefusal, func(c *call) reply {
		if c.r.Header.Get("Authorization") != "Bearer "+w.opt.Admin {
			return litellmError(http.StatusUnauthorized, "auth_error", "Authentication Error, only proxy admins can call this route")
		}
		c.entry.Actor = ActorResponder
		return w.litellmAdmin(c)
	})
	model := w.serve("litellm", litellmRefusal, w.litellmModel)
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("x-litellm-call-id", randomUUID())
		if strings.HasPrefix(r.URL.Path, "/key/") || strings.HasPrefix(r.URL.Path, "/spend/") {
			admin.ServeHTTP(rw, r)
			return
		}
		model.ServeHTTP(rw, r)
	})
}

// litellmModel is the model API. A blocked key is refused at once, a deleted one when the proxy's cache has forgotten it.
func (w *World) litellmModel(c *call) reply {
	known, found := w.values[strings.TrimPrefix(c.r.Header.Get("Authorization"), "Bearer ")]
	if !found || known.Provider != "litellm" {
		return litellmError(http.StatusUnauthorized, "token_not_found_in_db", "Authentication Error, Invalid proxy server token passed.")
	}
	c.entry.Key = known.ID
	k := w.litellmKeyLocked(known.ID)
	switch {
	case w.dead(known):
		return litellmError(http.StatusUnauthorized, "token_not_found_in_db", "Authentication Error, Invalid proxy server token passed.")
	case k.blocked:
		return litellmError(http.StatusUnauthorized, "auth_error", "Key is blocked. Update via `/key/unblock` if you're admin.")
	}
	switch c.r.Method + c.r.URL.Path {
	case "GET/v1/models":
		c.entry.Effect = EffectObserve
		data := []any{}
		for name := range openaiPrices {
			data = append(data, map[string]any{"id": name, "object": "model", "created": 1677610602, "owned_by": "openai"})
		}
		return ok(map[string]any{"object": "list", "data": data})
	case "POST/v1/chat/completions":
		return w.litellmChat(c, k)
	}
	return litellmRefusal(http.StatusNotFound)
}

func (w *World) litellmChat(c *call, k *litellmKey) reply {
	chat, input, output, err := readChat(c.body)
	if err != nil {
		return litellmError(http.StatusBadRequest, "invalid_request_error", err.Error())
	}
	price, known := openaiPrices[chat.Model]
	if !known {
		return litellmError(http.StatusBadRequest, "invalid_request_error", "Invalid model name passed in model="+chat.Model)
	}
	charge(c, (float64(input)*price[0]+float64(output)*price[1])/1e6)
	host, _, _ := net.SplitHostPort(c.r.RemoteAddr)
	s := part[litellmState](w)
	s.calls = append(s.calls, litellmCall{c.entry.T, k.ID, chat.Model, host, c.r.UserAgent(), input, output, c.entry.USD, randomUUID()})
	return ok(completion(c, chat.Model, input, output))
}

func (w *World) litellmKeyLocked(id string) *litellmKey {
	for _, k := range part[litellmState](w).keys {
		if k.ID == id {
			return k
		}
	}
	return nil
}

// decodeLiteLLM reads a JSON body; the proxy ignores what it does not know.
func decodeLiteLLM(body []byte, into any) *reply {
	if err := json.NewDecoder(bytes.NewReader(body)).Decode(into); err != nil {
		refused := reply{status: http.StatusUnprocessableEntity, body: map[string]any{"detail": []any{map[string]any{"type": "json_invalid", "loc": []any{"body", 0}, "msg": "JSON decode error", "input": map[string]any{}}}}}
		return &refused
	}
	return nil
}

// litellmError is an error in the proxy's shape: its code is a string.
func litellmError(status int, kind, message string) reply {
	return reply{status: status, body: map[string]any{"error": map[string]any{"message": message, "type": kind, "param": "None", "code": itoa(status)}}}
}

func litellmRefusal(status int) reply {
	kind := "internal_server_error"
	switch {
	case status == http.StatusUnauthorized:
		kind = "auth_error"
	case status == http.StatusTooManyRequests:
		kind = "throttling_error"
	case status < 500:
		kind = "bad_request_error"
	}
	return litellmError(status, kind, http.StatusText(status))
}
