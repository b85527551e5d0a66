package sandbox

import (
	"net/http"
	"slices"
	"strings"
)

// openaiKeys is …/projects/{p}/api_keys.
func (w *World) openaiKeys(c *call, p *openaiProject, rest []string) reply {
	if len(rest) == 0 && c.r.Method == http.MethodGet {
		access := c.r.URL.Query().Get("owner_project_access")
		if !slices.Contains([]string{"", "any", "active", "inactive"}, access) {
			return openaiError(http.StatusBadRequest, "invalid_request_error", "", "owner_project_access must be active, inactive or any.")
		}
		var items []map[string]any
		for _, k := range w.openai.keys {
			if k.Project == p.id && k.deletedAt.IsZero() && access != "inactive" {
				items = append(items, w.openaiKeyView(k))
			}
		}
		c.entry.Effect = EffectObserve
		return openaiList(c.r.URL.Query(), items)
	}
	if len(rest) != 1 {
		return openaiRefusal(http.StatusNotFound)
	}
	k := w.openaiKeyLocked(rest[0])
	if k == nil || k.Project != p.id || !k.deletedAt.IsZero() {
		return openaiError(http.StatusNotFound, "invalid_request_error", "not_found", "No such API key.")
	}
	c.entry.Key = k.ID
	switch c.r.Method {
	case http.MethodGet:
		c.entry.Effect = EffectObserve
		return ok(w.openaiKeyView(k))
	case http.MethodDelete:
		if k.refuseDelete {
			return openaiError(http.StatusBadRequest, "invalid_request_error", "", "API keys owned by a service account cannot be deleted. Delete the service account instead.")
		}
		c.entry.Effect = EffectFinal
		k.deletedAt = w.Now()
		w.openaiAuditLocked("api_key.deleted", p.id, k.ID, "tourniquet@example.com")
		return ok(map[string]any{"object": "organization.project.api_key.deleted", "id": k.ID, "deleted": true})
	}
	return openaiRefusal(http.StatusMethodNotAllowed)
}

// openaiAccounts is …/projects/{p}/service_accounts.
func (w *World) openaiAccounts(c *call, p *openaiProject, rest []string) reply {
	if len(rest) == 0 && c.r.Method == http.MethodGet {
		var items []map[string]any
		for _, a := range p.accounts {
			if !a.deleted {
				items = append(items, a.view())
			}
		}
		c.entry.Effect = EffectObserve
		return openaiList(c.r.URL.Query(), items)
	}
	if len(rest) == 0 && c.r.Method == http.MethodPost {
		return w.newAccount(c, p)
	}
	at := -1
	if len(rest) > 0 {
		at = slices.IndexFunc(p.accounts, func(a *openaiAccount) bool { return a.id == rest[0] && !a.deleted })
	}
	if at < 0 {
		return openaiError(http.StatusNotFound, "invalid_request_error", "not_found", "No such service account.")
	}
	a, verb := p.accounts[at], strings.Join(rest[1:], "/")
	switch c.r.Method + verb {
	case http.MethodGet:
		c.entry.Effect = EffectObserve
		return ok(a.view())
	case http.MethodPost + "api_keys":
		c.entry.Effect = EffectUndoable
		return ok(w.newAccountKey(c, p, a))
	case http.MethodDelete:
		c.entry.Effect, a.deleted = EffectFinal, true
		for _, k := range w.openai.keys {
			if k.account == a && k.deletedAt.IsZero() {
				k.deletedAt = w.Now()
			}
		}
		w.openaiAuditLocked("service_account.deleted", p.id, a.id, "tourniquet@example.com")
		return ok(map[string]any{"object": "organization.project.service_account.deleted", "id": a.id, "deleted": true})
	}
	return openaiRefusal(http.StatusNotFound)
}

func (w *World) newAccount(c *call, p *openaiProject) reply {
	var body struct {
		Name string `json:"name"`
		Only bool   `json:"create_service_account_only"`
	}
	if refused := decodeOpenAI(c.body, &body); refused != nil {
		return *refused
	}
	if body.Name == "" {
		return openaiError(http.StatusBadRequest, "invalid_request_error", "missing_required_parameter", "Missing required parameter: 'name'.")
	}
	a := w.addAccountLocked(p, body.Name)
	w.openaiAuditLocked("service_account.created", p.id, a.id, "tourniquet@example.com")
	c.entry.Effect = EffectUndoable
	view := a.view()
	if view["api_key"] = nil; !body.Only {
		view["api_key"] = w.newAccountKey(c, p, a)
	}
	return ok(view)
}

func (w *World) newAccountKey(c *call, p *openaiProject, a *openaiAccount) map[string]any {
	k := w.addOpenAIKeyLocked(p, a, a.name, "")
	c.entry.Key = k.ID
	w.openaiAuditLocked("api_key.created", p.id, k.ID, "tourniquet@example.com")
	return map[string]any{"object": "organization.project.service_account.api_key", "value": k.secret, "name": "Secret Key", "created_at": k.createdAt.Unix(), "id": k.ID}
}

// openaiLimit is …/projects/{p}/spend_limit.
func (w *World) openaiLimit(c *call, p *openaiProject) reply {
	view := func() reply {
		status := "inactive"
		if w.spentCents(p.id) >= float64(p.limitCents) {
			status = "enforcing"
		}
		return ok(map[string]any{"object": "project.spend_limit", "threshold_amount": p.limitCents, "currency": "USD", "interval": "month", "enforcement": map[string]string{"status": status}})
	}
	if c.r.Method == http.MethodPost {
		var body struct {
			Amount   int64  `json:"threshold_amount"`
			Currency string `json:"currency"`
			Interval string `json:"interval"`
		}
		if refused := decodeOpenAI(c.body, &body); refused != nil {
			return *refused
		}
		if body.Amount < 1 || body.Currency != "USD" || body.Interval != "month" {
			return openaiError(http.StatusBadRequest, "invalid_request_error", "invalid_value", "threshold_amount must be at least 1, currency USD and interval month.")
		}
		p.limitCents, c.entry.Effect = body.Amount, EffectUndoable
		return view()
	}
	if p.limitCents == 0 {
		return openaiError(http.StatusNotFound, "invalid_request_error", "not_found", "The project has no spend limit.")
	}
	switch c.r.Method {
	case http.MethodGet:
		c.entry.Effect = EffectObserve
		return view()
	case http.MethodDelete:
		p.limitCents, c.entry.Effect = 0, EffectUndoable
		return ok(map[string]any{"object": "project.spend_limit.deleted", "deleted": true})
	}
	return openaiRefusal(http.StatusMethodNotAllowed)
}

func (p *openaiProject) denies(model string) bool {
	return p.mode == "deny_list" && slices.Contains(p.deny, model) || p.mode == "allow_list" && !slices.Contains(p.deny, model)
}

// openaiPermissions is …/projects/{p}/model_permissions.
func (w *World) openaiPermissions(c *call, p *openaiProject) reply {
	switch c.r.Method {
	case http.MethodPost:
		var body struct {
			Mode   string   `json:"mode"`
			Models []string `json:"model_ids"`
		}
		if refused := decodeOpenAI(c.body, &body); refused != nil {
			return *refused
		}
		if body.Mode != "allow_list" && body.Mode != "deny_list" {
			return openaiError(http.StatusBadRequest, "invalid_request_error", "invalid_value", "mode must be allow_list or deny_list.")
		}
		p.mode, p.deny, c.entry.Effect = body.Mode, body.Models, EffectUndoable
	case http.MethodDelete:
		p.mode, p.deny, c.entry.Effect = "", nil, EffectUndoable
		return ok(map[string]any{"object": "project.model_permissions.deleted", "deleted": true})
	case http.MethodGet:
		c.entry.Effect = EffectObserve
	default:
		return openaiRefusal(http.StatusMethodNotAllowed)
	}
	if p.mode == "" {
		return openaiError(http.StatusNotFound, "invalid_request_error", "not_found", "The project has no model permissions.")
	}
	return ok(map[string]any{"object": "project.model_permissions", "mode": p.mode, "model_ids": append([]string{}, p.deny...)})
}

// openaiRates is …/projects/{p}/rate_limits.
func (w *World) openaiRates(c *call, p *openaiProject, rest []string) reply {
	view := func(model string) map[string]any {
		return map[string]any{"object": "project.rate_limit", "id": "rl-" + model, "model": model, "max_requests_per_1_minute": p.rates[model], "max_tokens_per_1_minute": 2000000}
	}
	if len(rest) == 0 && c.r.Method == http.MethodGet {
		var items []map[string]any
		for model := range p.rates {
			items = append(items, view(model))
		}
		slices.SortFunc(items, func(a, b map[string]any) int { return strings.Compare(a["model"].(string), b["model"].(string)) })
		c.entry.Effect = EffectObserve
		return openaiList(c.r.URL.Query(), items)
	}
	if len(rest) != 1 || c.r.Method != http.MethodPost {
		return openaiRefusal(http.StatusNotFound)
	}
	model := strings.TrimPrefix(rest[0], "rl-")
	if _, known := p.rates[model]; !known {
		return openaiError(http.StatusNotFound, "invalid_request_error", "not_found", "No such rate limit.")
	}
	var body struct {
		Requests *int64 `json:"max_requests_per_1_minute"`
		Tokens   *int64 `json:"max_tokens_per_1_minute"`
	}
	if refused := decodeOpenAI(c.body, &body); refused != nil {
		return *refused
	}
	if body.Requests != nil {
		p.rates[model] = *body.Requests
	}
	c.entry.Effect = EffectUndoable
	return ok(view(model))
}
