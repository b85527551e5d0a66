package sandbox

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// pagerDutyTurn is one entry of who is on call: a user at a level of a policy, through a schedule or by name.
type pagerDutyTurn struct {
	user, schedule, policy string
	level                  int
}

// Token is a read-only key of the REST API.
func (p *PagerDuty) Token() string { return p.token }

// SetOnCall says who is on call now in a schedule, which is the given level of an escalation policy. It replaces who was.
func (p *PagerDuty) SetOnCall(schedule, policy string, level int, users ...string) {
	p.w.mu.Lock()
	defer p.w.mu.Unlock()
	p.turns = slices.DeleteFunc(p.turns, func(t pagerDutyTurn) bool { return t.schedule == schedule && t.policy == policy && t.level == level })
	for _, u := range users {
		p.turns = append(p.turns, pagerDutyTurn{u, schedule, policy, level})
	}
}

func pagerDutyFault(status int) reply {
	codes := map[int]int{http.StatusBadRequest: 2001, http.StatusUnauthorized: 2006, http.StatusNotFound: 2100, http.StatusTooManyRequests: 2020}
	return reply{status: status, body: map[string]any{"error": map[string]any{"code": codes[status], "message": http.StatusText(status), "errors": []string{}}}}
}

// onCalls is GET /oncalls: without times, who is on call at this moment.
func (p *PagerDuty) onCalls(c *call) reply {
	query := c.r.URL.Query()
	switch {
	case c.r.Header.Get("Authorization") != "Token token="+p.token:
		return pagerDutyFault(http.StatusUnauthorized)
	case c.r.Method != http.MethodGet || !strings.Contains(c.r.Header.Get("Accept"), "application/vnd.pagerduty+json;version=2"):
		return pagerDutyFault(http.StatusBadRequest)
	}
	schedules, policies := query["schedule_ids[]"], query["escalation_policy_ids[]"]
	var fits []pagerDutyTurn
	for _, t := range p.turns {
		if (len(schedules) == 0 || slices.Contains(schedules, t.schedule)) && (len(policies) == 0 || slices.Contains(policies, t.policy)) {
			fits = append(fits, t)
		}
	}
	limit, offset := 25, 0
	if n, err := strconv.Atoi(query.Get("limit")); err == nil && n > 0 {
		limit = min(n, 100)
	}
	if n, err := strconv.Atoi(query.Get("offset")); err == nil && n > 0 {
		offset = min(n, len(fits))
	}
	c.entry.Actor, c.entry.Effect = ActorResponder, EffectObserve
	end := min(offset+limit, len(fits))
	list := []any{}
	for _, t := range fits[offset:end] {
		list = append(list, t.view())
	}
	return ok(map[string]any{"oncalls": list, "limit": limit, "offset": offset, "more": end < len(fits), "total": nil})
}

func (t pagerDutyTurn) view() map[string]any {
	reference := func(id, kind, path string) any {
		if id == "" {
			return nil
		}
		return map[string]any{"id": id, "type": kind, "summary": id, "self": "https://api.pagerduty.com/" + path + "/" + id, "html_url": "https://acme.pagerduty.com/" + path + "/" + id}
	}
	return map[string]any{
		"user": reference(t.user, "user_reference", "users"), "schedule": reference(t.schedule, "schedule_reference", "schedules"),
		"escalation_policy": reference(t.policy, "escalation_policy_reference", "escalation_policies"), "escalation_level": t.level, "start": nil, "end": nil,
	}
}
