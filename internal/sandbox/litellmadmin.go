package sandbox

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

func itoa(n int) string { return strconv.Itoa(n) }

// litellmAdmin routes /key/… and /spend/….
func (w *World) litellmAdmin(c *call) reply {
	switch c.r.Method + c.r.URL.Path {
	case "GET/key/info":
		return w.litellmInfo(c)
	case "GET/key/list":
		return w.litellmList(c)
	case "POST/key/block":
		return w.litellmBlock(c, true)
	case "POST/key/unblock":
		return w.litellmBlock(c, false)
	case "POST/key/delete":
		return w.litellmDelete(c)
	case "POST/key/generate":
		return w.litellmGenerate(c)
	case "POST/key/regenerate":
		return litellmError(http.StatusForbidden, "auth_error", "Regenerating Virtual Keys is an Enterprise feature")
	case "GET/spend/logs":
		return w.litellmSpend(c)
	}
	return litellmRefusal(http.StatusNotFound)
}

// litellmHash takes a key or its hash, as the proxy does.
func litellmHash(key string) string {
	if !strings.HasPrefix(key, "sk-") {
		return key
	}
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:])
}

func (w *World) litellmLiving(key string) *litellmKey {
	k := w.litellmKeyLocked(litellmHash(key))
	if k == nil || !k.deletedAt.IsZero() {
		return nil
	}
	return k
}

func (w *World) litellmInfo(c *call) reply {
	k := w.litellmLiving(c.r.URL.Query().Get("key"))
	if k == nil {
		return litellmError(http.StatusNotFound, "not_found_error", "Key not found in database")
	}
	c.entry.Key, c.entry.Effect = k.ID, EffectObserve
	info := k.record()
	delete(info, "token")
	return ok(map[string]any{"key": c.r.URL.Query().Get("key"), "info": info})
}

func (k *litellmKey) record() map[string]any {
	var blocked any
	if k.blocked {
		blocked = true
	}
	models := k.want.Models
	if models == nil {
		models = []string{}
	}
	return map[string]any{
		"token": k.ID, "key_name": "sk-..." + k.secret[len(k.secret)-4:], "key_alias": k.Name, "blocked": blocked, "team_id": k.want.Team, "user_id": k.want.User,
		"models": models, "max_budget": k.want.MaxBudget, "budget_duration": k.want.Period, "tpm_limit": k.want.TPM, "rpm_limit": k.want.RPM,
		"created_at": k.createdAt.UTC().Format("2006-01-02T15:04:05.000000Z"), "created_by": k.by, "metadata": map[string]any{}, "spend": 0, "expires": nil,
	}
}

func (w *World) litellmList(c *call) reply {
	query := c.r.URL.Query()
	number := func(name string, usual, most int) int {
		n, err := strconv.Atoi(query.Get(name))
		if query.Get(name) == "" {
			return usual
		}
		if err != nil || n < 1 || n > most {
			return -1
		}
		return n
	}
	page, size := number("page", 1, 1<<30), number("size", 10, 100)
	if page < 0 || size < 0 {
		return reply{status: http.StatusUnprocessableEntity, body: map[string]any{"detail": []any{map[string]any{"type": "less_than_equal", "msg": "Input should be less than or equal to 100"}}}}
	}
	var living []any
	for _, k := range part[litellmState](w).keys {
		if !k.deletedAt.IsZero() {
			continue
		}
		if query.Get("return_full_object") == "true" {
			living = append(living, k.record())
		} else {
			living = append(living, k.ID)
		}
	}
	from, to := min((page-1)*size, len(living)), min(page*size, len(living))
	c.entry.Effect = EffectObserve
	return ok(map[string]any{"keys": append([]any{}, living[from:to]...), "total_count": len(living), "current_page": page, "total_pages": (len(living) + size - 1) / size})
}

func (w *World) litellmBlock(c *call, blocked bool) reply {
	var body struct {
		Key string `json:"key"`
	}
	if refused := decodeLiteLLM(c.body, &body); refused != nil {
		return *refused
	}
	if body.Key == "" {
		return litellmError(http.StatusBadRequest, "bad_request_error", "Key must be a non-empty string")
	}
	k := w.litellmLiving(body.Key)
	if k == nil {
		return litellmError(http.StatusNotFound, "not_found_error", "Key not found")
	}
	c.entry.Key, c.entry.Effect, k.blocked = k.ID, EffectUndoable, blocked
	view := k.record()
	view["blocked"] = blocked
	return ok(view)
}

// litellmDelete echoes what was asked for when at least one key was there.
func (w *World) litellmDelete(c *call) reply {
	var body struct {
		Keys []string `json:"keys"`
	}
	if refused := decodeLiteLLM(c.body, &body); refused != nil {
		return *refused
	}
	some := false
	for _, key := range body.Keys {
		if k := w.litellmLiving(key); k != nil {
			k.deletedAt, some = w.Now(), true
			if k.blocked { // what did not work before does not linger
				k.deletedAt = w.Now().Add(-w.RevocationDelay())
			}
			c.entry.Key, c.entry.Effect = k.ID, EffectFinal
		}
	}
	if !some {
		return litellmError(http.StatusNotFound, "not_found_error", "No keys found")
	}
	return ok(map[string]any{"deleted_keys": body.Keys})
}

func (w *World) litellmGenerate(c *call) reply {
	var body litellmWanted
	if refused := decodeLiteLLM(c.body, &body); refused != nil {
		return *refused
	}
	taken := func(k *litellmKey) bool { return k.Name == body.Alias && body.Alias != "" && k.deletedAt.IsZero() }
	if slices.ContainsFunc(part[litellmState](w).keys, taken) {
		return litellmError(http.StatusBadRequest, "bad_request_error", "Key with alias '"+body.Alias+"' already exists. Unique key aliases across all keys are required.")
	}
	k := w.addLiteLLMKeyLocked(body, "", "tourniquet")
	c.entry.Key, c.entry.Effect = k.ID, EffectUndoable
	view := k.record()
	view["key"] = k.secret
	return ok(view)
}

// litellmSpend is the spend log: calls, or sums by day.
func (w *World) litellmSpend(c *call) reply {
	query := c.r.URL.Query()
	from, err1 := time.Parse(time.DateOnly, query.Get("start_date"))
	to, err2 := time.Parse(time.DateOnly, query.Get("end_date"))
	if err1 != nil || err2 != nil {
		return litellmError(http.StatusBadRequest, "bad_request_error", "start_date and end_date must be given as YYYY-MM-DD")
	}
	c.entry.Effect = EffectObserve
	key := litellmHash(query.Get("api_key"))
	out, sums := []any{}, map[string]float64{}
	for _, call := range part[litellmState](w).calls {
		at := call.at.UTC()
		if key != "" && call.key != key || at.Before(from) || at.After(to.Add(24*time.Hour)) {
			continue
		}
		sums[at.Format(time.DateOnly)] += call.usd
		out = append(out, map[string]any{
			"request_id": call.request, "call_type": "acompletion", "api_key": call.key, "spend": call.usd, "total_tokens": call.input + call.output,
			"prompt_tokens": call.input, "completion_tokens": call.output, "startTime": at.Format("2006-01-02T15:04:05.000000"), "endTime": at.Format("2006-01-02T15:04:05.000000"),
			"model": call.model, "api_base": "https://api.openai.com", "user": "default_user_id", "requester_ip_address": call.address, "status": "success",
			"metadata": map[string]any{"user_agent": call.agent}, "cache_hit": "False", "messages": map[string]any{}, "response": map[string]any{},
		})
	}
	if query.Get("summarize") == "false" {
		return ok(out)
	}
	days := []any{}
	for day, usd := range sums {
		days = append(days, map[string]any{"startTime": day, "spend": usd, "users": map[string]any{}, "models": map[string]any{}})
	}
	return ok(days)
}
