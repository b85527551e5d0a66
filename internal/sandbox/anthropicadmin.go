package sandbox

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// anthropicAdmin routes /v1/organizations/….
func (w *World) anthropicAdmin(c *call) reply {
	path := strings.TrimPrefix(c.r.URL.Path, "/v1/organizations/")
	id, one := strings.CutPrefix(path, "api_keys/")
	switch {
	case one && !strings.Contains(id, "/"):
		return w.anthropicOne(c, id)
	case c.r.Method != http.MethodGet:
		return anthropicRefusal(http.StatusNotFound)
	case path == "api_keys":
		return w.anthropicList(c)
	case path == "invites":
		return w.anthropicInvites(c)
	case path == "usage_report/messages":
		return w.anthropicUsage(c)
	case path == "cost_report":
		return w.anthropicCosts(c)
	}
	return anthropicRefusal(http.StatusNotFound)
}

func (w *World) anthropicOne(c *call, id string) reply {
	k := w.anthropicKeyLocked(id)
	if k == nil {
		return anthropicRefusal(http.StatusNotFound)
	}
	c.entry.Key = k.ID
	switch c.r.Method {
	case http.MethodGet:
		c.entry.Effect = EffectObserve
		return ok(k.view())
	case http.MethodPost:
		return w.anthropicSet(c, k)
	}
	return anthropicRefusal(http.StatusMethodNotAllowed)
}

// anthropicSet changes name or status. An archived or expired key keeps its status.
func (w *World) anthropicSet(c *call, k *anthropicKey) reply {
	var body struct {
		Name   *string `json:"name"`
		Status *string `json:"status"`
	}
	if refused := decodeAnthropic(c.body, &body); refused != nil {
		return *refused
	}
	c.entry.Effect = EffectUndoable
	if body.Name != nil {
		if *body.Name == "" || len(*body.Name) > 500 {
			return anthropicError(http.StatusBadRequest, "invalid_request_error", "name: String should have 1 to 500 characters")
		}
		k.Name = *body.Name
	}
	if body.Status == nil {
		return ok(k.view())
	}
	final := k.status == "archived" || k.status == "expired" && *body.Status != "archived"
	switch {
	case !slices.Contains([]string{"active", "inactive", "archived"}, *body.Status):
		return anthropicError(http.StatusBadRequest, "invalid_request_error", "status: Input should be 'active', 'inactive' or 'archived'")
	case final && k.status != *body.Status:
		return anthropicError(http.StatusBadRequest, "invalid_request_error", "The status of an "+k.status+" API key cannot be changed.")
	}
	if *body.Status == "archived" {
		c.entry.Effect = EffectFinal
		if k.status != "archived" {
			k.deletedAt = w.Now()
			if k.status != "active" { // what did not work before does not linger
				k.deletedAt = w.Now().Add(-w.RevocationDelay())
			}
		}
	}
	k.status = *body.Status
	return ok(k.view())
}

func (k *anthropicKey) view() map[string]any {
	v := map[string]any{
		"id": k.ID, "type": "api_key", "name": k.Name, "status": k.status, "partial_key_hint": k.secret[:len("sk-ant-api03-R2D")] + "..." + k.secret[len(k.secret)-4:],
		"created_at": stamp(k.createdAt), "created_by": map[string]string{"id": k.by, "type": "user"}, "expires_at": nil, "principal": nil,
		"scope": map[string]any{"type": "workspace", "workspace_id": k.workspace},
	}
	return v
}

func (w *World) anthropicList(c *call) reply {
	query := c.r.URL.Query()
	var items []map[string]any
	for _, k := range slices.Backward(part[anthropicState](w).keys) {
		if s := query.Get("status"); s == "" || s == k.status {
			items = append(items, k.view())
		}
	}
	c.entry.Effect = EffectObserve
	return anthropicPage(query, items, "limit", "after_id", "before_id", "status", "workspace_id", "created_by_user_id")
}

func (w *World) anthropicInvites(c *call) reply {
	var items []map[string]any
	for _, i := range part[anthropicState](w).invites {
		items = append(items, map[string]any{
			"id": i.id, "type": "invite", "email": i.email, "role": i.role, "status": "pending", "invited_at": stamp(i.at), "expires_at": stamp(i.at.Add(21 * 24 * time.Hour)),
			"accepted_at": nil, "rbac_group_ids": []string{},
		})
	}
	c.entry.Effect = EffectObserve
	return anthropicPage(c.r.URL.Query(), items, "limit", "after_id", "before_id", "email", "roles", "statuses")
}

// anthropicPage cuts a list by after_id and limit and refuses parameters that the call does not have.
func anthropicPage(query url.Values, items []map[string]any, known ...string) reply {
	for name := range query {
		if !slices.Contains(known, name) {
			return anthropicError(http.StatusBadRequest, "invalid_request_error", name+": Extra inputs are not permitted")
		}
	}
	limit, from := 20, 0
	if text := query.Get("limit"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > 1000 {
			return anthropicError(http.StatusBadRequest, "invalid_request_error", "limit: Input should be between 1 and 1000")
		}
		limit = n
	}
	if after := query.Get("after_id"); after != "" {
		from = len(items)
		for i, item := range items {
			if item["id"] == after {
				from = i + 1
			}
		}
	}
	data := append([]map[string]any{}, items[from:min(from+limit, len(items))]...)
	out := map[string]any{"data": data, "has_more": from+len(data) < len(items), "first_id": nil, "last_id": nil}
	if len(data) > 0 {
		out["first_id"], out["last_id"] = data[0]["id"], data[len(data)-1]["id"]
	}
	return ok(out)
}
