package sandbox

import (
	"net/http"
	"slices"
	"strings"
)

// openaiAdminKey is a key of the whole organisation.
type openaiAdminKey struct {
	Key
}

type openaiAdminKeys struct {
	keys []*openaiAdminKey
}

// NewOpenAIAdminKey creates an admin key as if somebody had done so on OpenAI's pages.
func (w *World) NewOpenAIAdminKey(name string) Key {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.addOpenAIAdminKeyLocked(name).Key
}

func (w *World) addOpenAIAdminKeyLocked(name string) *openaiAdminKey {
	k := &openaiAdminKey{Key{
		Provider: "openai", ID: "key_" + randomText(fullAlphabet, 16), Name: name, secret: "sk-admin-" + randomText(fullAlphabet, 120), createdAt: w.Now(),
	}}
	s := part[openaiAdminKeys](w)
	s.keys = append(s.keys, k)
	w.values[k.secret] = &k.Key
	return k
}

// openaiAdminKnown lets in the responder, and whoever holds an admin key that still works.
func (w *World) openaiAdminKnown(c *call) bool {
	value := strings.TrimPrefix(c.r.Header.Get("Authorization"), "Bearer ")
	if value == w.opt.Admin {
		c.entry.Actor = ActorResponder
		return true
	}
	at := slices.IndexFunc(part[openaiAdminKeys](w).keys, func(k *openaiAdminKey) bool { return k.secret == value })
	if at < 0 {
		return false
	}
	k := part[openaiAdminKeys](w).keys[at]
	c.entry.Key = k.ID
	return !w.dead(&k.Key)
}

// openaiAdminKeys is /v1/organization/admin_api_keys.
func (w *World) openaiAdminKeys(c *call, rest []string) reply {
	s := part[openaiAdminKeys](w)
	if len(rest) == 0 {
		return w.openaiAdminKeyList(c, s)
	}
	at := slices.IndexFunc(s.keys, func(k *openaiAdminKey) bool { return k.ID == rest[0] && k.deletedAt.IsZero() })
	if at < 0 || len(rest) > 1 {
		return openaiError(http.StatusNotFound, "invalid_request_error", "not_found", "No such admin API key.")
	}
	k := s.keys[at]
	c.entry.Key = k.ID
	switch c.r.Method {
	case http.MethodGet:
		c.entry.Effect = EffectObserve
		return ok(k.view())
	case http.MethodDelete:
		c.entry.Effect, k.deletedAt = EffectFinal, w.Now()
		return ok(map[string]any{"object": "organization.admin_api_key.deleted", "id": k.ID, "deleted": true})
	}
	return openaiRefusal(http.StatusMethodNotAllowed)
}

func (w *World) openaiAdminKeyList(c *call, s *openaiAdminKeys) reply {
	switch c.r.Method {
	case http.MethodGet:
		var items []map[string]any
		for _, k := range s.keys {
			if k.deletedAt.IsZero() {
				items = append(items, k.view())
			}
		}
		c.entry.Effect = EffectObserve
		return openaiList(c.r.URL.Query(), items)
	case http.MethodPost:
		var body struct {
			Name    string `json:"name"`
			Expires *int64 `json:"expires_in_seconds"`
		}
		if refused := decodeOpenAI(c.body, &body); refused != nil {
			return *refused
		}
		if body.Name == "" || body.Expires != nil && (*body.Expires < 1 || *body.Expires > 31536000) {
			return openaiError(http.StatusBadRequest, "invalid_request_error", "invalid_value", "name is required, and expires_in_seconds lies between 1 and 31536000.")
		}
		k := w.addOpenAIAdminKeyLocked(body.Name)
		c.entry.Key, c.entry.Effect = k.ID, EffectUndoable
		view := k.view()
		view["value"] = k.secret
		return ok(view)
	}
	return openaiRefusal(http.StatusMethodNotAllowed)
}

func (k *openaiAdminKey) view() map[string]any {
	return map[string]any{
		"object": "organization.admin_api_key", "id": k.ID, "name": k.Name, "redacted_value": "sk-admin-****…" + k.secret[len(k.secret)-4:],
		"created_at": k.createdAt.Unix(), "last_used_at": nil, "expires_at": nil,
		"owner": map[string]any{"type": "user", "object": "organization.user", "id": "user_owner", "name": "Owner", "created_at": k.createdAt.Unix(), "role": "owner"},
	}
}
