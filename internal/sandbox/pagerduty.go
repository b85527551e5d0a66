package sandbox

import (
	"encoding/json"
	"net/http"
	"slices"
)

// States of an alert at PagerDuty.
const (
	PageTriggered    = "triggered"
	PageAcknowledged = "acknowledged"
	PageResolved     = "resolved"
)

// PagerDuty is a pretended Events API v2 of one service, and the REST API's list of who is on call. Its state is guarded by
// the world's lock.
type PagerDuty struct {
	w     *World
	key   string
	token string
	pages map[string]string // state by dedup key
	turns []pagerDutyTurn
}

// PagerDuty makes an Events API of this world. Every call makes another one: keep it.
func (w *World) PagerDuty() *PagerDuty {
	return &PagerDuty{w: w, key: randomText(lowerAlphabet, 32), token: "u+" + randomText(fullAlphabet, 18), pages: map[string]string{}}
}

// RoutingKey is the key of the service's integration.
func (p *PagerDuty) RoutingKey() string { return p.key }

// Page is the state of the alert of a dedup key; empty when nobody was paged.
func (p *PagerDuty) Page(dedup string) string {
	p.w.mu.Lock()
	defer p.w.mu.Unlock()
	return p.pages[dedup]
}

// ServeHTTP implements http.Handler.
func (p *PagerDuty) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/oncalls" {
		p.w.serve("pagerduty-rest", pagerDutyFault, p.onCalls).ServeHTTP(rw, r)
		return
	}
	p.w.serve("pagerduty", pagerDutyRefusal, p.event).ServeHTTP(rw, r)
}

func pagerDutyRefusal(status int) reply {
	return reply{status: status, body: map[string]any{"status": "invalid event", "message": "Event object is invalid", "errors": []string{http.StatusText(status)}}}
}

func (p *PagerDuty) event(c *call) reply {
	var in struct {
		RoutingKey string `json:"routing_key"`
		Action     string `json:"event_action"`
		Dedup      string `json:"dedup_key"`
		Payload    *struct {
			Summary  string `json:"summary"`
			Source   string `json:"source"`
			Severity string `json:"severity"`
		} `json:"payload"`
	}
	if c.r.Method != http.MethodPost || c.r.URL.Path != "/v2/enqueue" {
		return pagerDutyRefusal(http.StatusNotFound)
	}
	bad := json.Unmarshal(c.body, &in) != nil || in.RoutingKey != p.key || len(in.Dedup) > 255
	switch in.Action {
	case "trigger":
		bad = bad || in.Payload == nil || in.Payload.Summary == "" || len([]rune(in.Payload.Summary)) > 1024 || in.Payload.Source == "" ||
			!slices.Contains([]string{"critical", "error", "warning", "info"}, in.Payload.Severity)
	case "acknowledge", "resolve":
		bad = bad || in.Dedup == ""
	default:
		bad = true
	}
	if bad {
		return pagerDutyRefusal(http.StatusBadRequest)
	}
	if in.Dedup == "" {
		in.Dedup = randomUUID()
	}
	c.entry.Actor, c.entry.Effect = ActorResponder, EffectNotify
	p.turn(in.Action, in.Dedup)
	return reply{status: http.StatusAccepted, body: map[string]string{"status": "success", "message": "Event processed", "dedup_key": in.Dedup}}
}

// turn changes the alert. What is not open can be neither acknowledged nor resolved; PagerDuty takes the event and does nothing.
func (p *PagerDuty) turn(action, dedup string) {
	open := p.pages[dedup] == PageTriggered || p.pages[dedup] == PageAcknowledged
	switch {
	case action == "trigger" && !open:
		p.pages[dedup] = PageTriggered
	case action == "acknowledge" && open:
		p.pages[dedup] = PageAcknowledged
	case action == "resolve" && open:
		p.pages[dedup] = PageResolved
	}
}
