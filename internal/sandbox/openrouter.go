package sandbox

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Prices of the pretended models in dollars per million tokens: input, output.
var openrouterPrices = map[string][2]float64{"openai/gpt-5": {1.25, 10}, "anthropic/claude-sonnet-5": {2, 10}}

type openrouterState struct {
	keys  []*openrouterKey // oldest first
	calls []openrouterCall
}

type openrouterKey struct {
	Key
	disabled  bool
	want      openrouterWanted
	updatedAt time.Time
}

type openrouterWanted struct {
	Name      string     `json:"name"`
	Limit     *float64   `json:"limit"`
	Reset     *string    `json:"limit_reset"`
	BYOK      bool       `json:"include_byok_in_limit"`
	Workspace string     `json:"workspace_id"`
	ExpiresAt *time.Time `json:"expires_at"`
	Creator   *string    `json:"creator_user_id"`
}

type openrouterCall struct {
	at            time.Time
	key, model    string
	input, output int
	usd           float64
}

// OpenRouterKey says what key to put into the world.
type OpenRouterKey struct {
	Name  string
	Limit float64
	Value string // optional; for ambiguous hints a test may choose it
}

const openrouterWorkspace = "0df9e665-d932-5740-b2c7-b52af166bc11"

// NewOpenRouterKey creates a key as if somebody had done so on OpenRouter's pages.
func (w *World) NewOpenRouterKey(want OpenRouterKey) Key {
	w.mu.Lock()
	defer w.mu.Unlock()
	body := openrouterWanted{Name: want.Name, Workspace: openrouterWorkspace}
	if want.Limit > 0 {
		body.Limit = &want.Limit
	}
	return w.addOpenRouterKeyLocked(body, want.Value).Key
}

// OldOpenRouterUse puts use of a day that is over into the world: only such days are reported.
func (w *World) OldOpenRouterUse(k Key, ago time.Duration, calls int, usd float64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := part[openrouterState](w)
	for range calls {
		s.calls = append(s.calls, openrouterCall{w.Now().Add(-ago), k.ID, "openai/gpt-5", 10, 100, usd / float64(calls)})
	}
}

func (w *World) addOpenRouterKeyLocked(want openrouterWanted, value string) *openrouterKey {
	if value == "" {
		value = "sk-or-v1-" + randomText("0123456789abcdef", 64)
	}
	sum := sha256.Sum256([]byte(value))
	k := &openrouterKey{want: want, updatedAt: w.Now(), Key: Key{Provider: "openrouter", Project: want.Workspace, ID: hex.EncodeToString(sum[:]), Name: want.Name, secret: value, createdAt: w.Now()}}
	s := part[openrouterState](w)
	s.keys = append(s.keys, k)
	w.values[value] = &k.Key
	return k
}

// OpenRouter serves the management API and the model API under /api/v1.
func (w *World) OpenRouter() http.Handler {
	admin := w.serve("openrouter-admin", openrouterRefusal, func(c *call) reply {
		switch known, found := w.values[strings.TrimPrefix(c.r.Header.Get("Authorization"), "Bearer ")]; {
		case found && known.Provider == "openrouter":
			c.entry.Key = known.ID
			return openrouterError(http.StatusForbidden, "Only management keys can perform this operation")
		case c.r.Header.Get("Authorization") != "Bearer "+w.opt.Admin:
			return openrouterError(http.StatusUnauthorized, "Missing Authentication header")
		}
		c.entry.Actor = ActorResponder
		return w.openrouterAdmin(c)
	})
	model := w.serve("openrouter", openrouterRefusal, w.openrouterModel)
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		path := strings.TrimPrefix(r.URL.Path, "/api/v1")
		if path == "/keys" || strings.HasPrefix(path, "/keys/") || path == "/activity" || path == "/credits" {
			admin.ServeHTTP(rw, r)
			return
		}
		model.ServeHTTP(rw, r)
	})
}

func (w *World) openrouterModel(c *call) reply {
	known, found := w.values[strings.TrimPrefix(c.r.Header.Get("Authorization"), "Bearer ")]
	if !found || known.Provider != "openrouter" {
		return openrouterError(http.StatusUnauthorized, "User not found.")
	}
	c.entry.Key = known.ID
	k := w.openrouterKeyLocked(known.ID)
	if k.disabled || w.dead(known) {
		return openrouterError(http.StatusUnauthorized, "User not found.")
	}
	switch c.r.Method + strings.TrimPrefix(c.r.URL.Path, "/api/v1") {
	case "GET/key":
		c.entry.Effect = EffectObserve
		view := w.openrouterView(k)
		for _, hidden := range []string{"hash", "name", "disabled", "created_at", "updated_at", "workspace_id"} {
			delete(view, hidden)
		}
		view["is_free_tier"], view["is_management_key"], view["is_provisioning_key"] = false, false, false
		view["rate_limit"] = map[string]any{"interval": "10s", "note": "This field is deprecated and safe to ignore.", "requests": -1}
		return ok(map[string]any{"data": view})
	case "POST/chat/completions":
		return w.openrouterChat(c, k)
	}
	return openrouterRefusal(http.StatusNotFound)
}

func (w *World) openrouterChat(c *call, k *openrouterKey) reply {
	chat, input, output, err := readChat(c.body)
	if err != nil {
		return openrouterError(http.StatusBadRequest, err.Error())
	}
	price, known := openrouterPrices[chat.Model]
	switch {
	case !known:
		return openrouterError(http.StatusBadRequest, chat.Model+" is not a valid model ID")
	case k.want.Limit != nil && w.openrouterSpent(k.ID, time.Time{}) >= *k.want.Limit:
		return openrouterError(http.StatusForbidden, "Key limit exceeded (total limit).")
	}
	charge(c, (float64(input)*price[0]+float64(output)*price[1])/1e6)
	s := part[openrouterState](w)
	s.calls = append(s.calls, openrouterCall{c.entry.T, k.ID, chat.Model, input, output, c.entry.USD})
	return ok(completion(c, chat.Model, input, output))
}

func (w *World) openrouterKeyLocked(id string) *openrouterKey {
	at := slices.IndexFunc(part[openrouterState](w).keys, func(k *openrouterKey) bool { return k.ID == id })
	if at < 0 {
		return nil
	}
	return part[openrouterState](w).keys[at]
}

// openrouterSpent is what a key has cost since a time, in dollars.
func (w *World) openrouterSpent(id string, since time.Time) (usd float64) {
	for _, c := range part[openrouterState](w).calls {
		if c.key == id && !c.at.Before(since) {
			usd += c.usd
		}
	}
	return usd
}

// openrouterView is a key as the management API shows it: never with its value.
func (w *World) openrouterView(k *openrouterKey) map[string]any {
	now := w.Now().UTC()
	day := now.Truncate(24 * time.Hour)
	all, remaining := w.openrouterSpent(k.ID, time.Time{}), any(nil)
	if k.want.Limit != nil {
		remaining = max(*k.want.Limit-all, 0)
	}
	return map[string]any{
		"hash": k.ID, "name": k.Name, "label": k.secret[:12] + "..." + k.secret[len(k.secret)-3:], "disabled": k.disabled, "limit": k.want.Limit, "limit_remaining": remaining,
		"limit_reset": k.want.Reset, "include_byok_in_limit": k.want.BYOK, "usage": all, "usage_daily": w.openrouterSpent(k.ID, day),
		"usage_weekly": w.openrouterSpent(k.ID, day.AddDate(0, 0, -int(day.Weekday()+6)%7)), "usage_monthly": w.openrouterSpent(k.ID, day.AddDate(0, 0, 1-day.Day())),
		"byok_usage": 0, "byok_usage_daily": 0, "byok_usage_weekly": 0, "byok_usage_monthly": 0, "created_at": stamp(k.createdAt), "updated_at": stamp(k.updatedAt),
		"expires_at": k.want.ExpiresAt, "creator_user_id": k.want.Creator, "workspace_id": openrouterWorkspace,
	}
}

// decodeOpenRouter reads a JSON body; unknown fields are refused.
func decodeOpenRouter(body []byte, into any) *reply {
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		refused := openrouterError(http.StatusBadRequest, "Invalid request body: "+err.Error())
		return &refused
	}
	return nil
}

// openrouterError is an error in OpenRouter's shape: its code is an integer.
func openrouterError(status int, message string) reply {
	return reply{status: status, body: map[string]any{"error": map[string]any{"code": status, "message": message}}}
}

func openrouterRefusal(status int) reply {
	return openrouterError(status, http.StatusText(status)+" ("+strconv.Itoa(status)+")")
}
