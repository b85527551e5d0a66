package sandbox

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
)

// EffectPress marks a press that decides: approve, reject or answer.
const EffectPress = "press"

// Press presses a button of a message as user. It fails where Slack itself would not let the user press; what the
// app answers is seen in Messages and Views.
func (s *Slack) Press(ctx context.Context, user, channel, ts, actionID string) error {
	return s.Choose(ctx, user, channel, ts, actionID, "")
}

// Choose is Press for a menu: value is the value of the chosen option.
func (s *Slack) Choose(ctx context.Context, user, channel, ts, actionID, value string) error {
	s.mu.Lock()
	m := s.message(channel, ts)
	if m == nil || (m.For != "" && m.For != user) {
		s.mu.Unlock()
		return fmt.Errorf("there is no message %q in channel %q that %q can see", ts, channel, user)
	}
	action, err := findAction(m.Blocks, actionID, value)
	if err != nil {
		s.mu.Unlock()
		return err
	}
	payload := s.envelope("block_actions", user)
	payload["container"] = slackOut{"type": "message", "message_ts": ts, "channel_id": channel, "is_ephemeral": m.For != ""}
	payload["channel"] = slackOut{"id": channel, "name": s.channel(channel).Name}
	payload["message"] = slackOut{"type": "message", "ts": ts, "text": m.Text, "user": s.creds.Bot, "blocks": m.Blocks}
	payload["actions"], payload["response_url"] = []any{action}, s.responseURL(user, channel)
	s.mu.Unlock()
	if _, err := s.press(ctx, payload, user, action); err != nil {
		s.slackbot(channel, user, "This app did not answer in time. "+err.Error())
	}
	return nil
}

// PressInView presses a button inside an open modal.
func (s *Slack) PressInView(ctx context.Context, user, viewID, actionID string) error {
	s.mu.Lock()
	v := s.views[viewID]
	if v == nil || v.User != user {
		s.mu.Unlock()
		return fmt.Errorf("%q has no open modal %q", user, viewID)
	}
	body, _ := readView(string(v.Content))
	action, err := findAction(body.Blocks, actionID, "")
	if err != nil {
		s.mu.Unlock()
		return err
	}
	payload := s.envelope("block_actions", user)
	payload["container"] = slackOut{"type": "view", "view_id": viewID}
	payload["view"] = s.viewOut(v)
	payload["actions"] = []any{action}
	s.mu.Unlock()
	if _, err := s.press(ctx, payload, user, action); err != nil {
		s.viewFailed(viewID, err)
	}
	return nil
}

// Submit submits an open modal; values are by block id and action id.
func (s *Slack) Submit(ctx context.Context, user, viewID string, values map[string]map[string]string) error {
	s.mu.Lock()
	v := s.views[viewID]
	if v == nil || v.User != user {
		s.mu.Unlock()
		return fmt.Errorf("%q has no open modal %q", user, viewID)
	}
	body, _ := readView(string(v.Content))
	if body.Submit == nil {
		s.mu.Unlock()
		return fmt.Errorf("modal %q has no submit button", viewID)
	}
	state, missing := viewState(body.Blocks, values)
	if len(missing) > 0 {
		v.Errors = missing
		s.touch()
		s.mu.Unlock()
		return fmt.Errorf("modal %q lacks a required answer", viewID)
	}
	out := s.viewOut(v)
	out["state"] = slackOut{"values": state}
	payload := s.envelope("view_submission", user)
	payload["view"], payload["response_urls"] = out, []any{}
	s.mu.Unlock()
	answer, err := s.press(ctx, payload, user, slackBlock{"value": body.Metadata})
	if err != nil {
		s.viewFailed(viewID, err)
		return nil
	}
	return s.submitted(viewID, answer)
}

// viewState checks required inputs, as Slack's own client does, and makes the state that it sends.
func viewState(raw json.RawMessage, values map[string]map[string]string) (state slackOut, missing map[string]string) {
	var blocks []slackBlock
	_ = json.Unmarshal(raw, &blocks) // checked when the view came in
	state, missing = slackOut{}, map[string]string{}
	for _, b := range blocks {
		if b["type"] != "input" {
			continue
		}
		block, _ := b["block_id"].(string)
		element, _ := b["element"].(slackBlock)
		action, _ := element["action_id"].(string)
		value := values[block][action]
		if value == "" && b["optional"] != true {
			missing[block] = "Please complete this required field."
		}
		state[block] = slackOut{action: slackOut{"type": element["type"], "value": value}}
	}
	return state, missing
}

// envelope is what every payload holds. The lock is held.
func (s *Slack) envelope(kind, user string) slackOut {
	p, _ := s.person(user)
	trigger := randomText("0123456789", 10) + "." + randomText("0123456789", 10) + "." + randomText("0123456789abcdef", 32)
	s.triggers[trigger] = slackTrigger{user: user, at: s.w.Now()}
	return slackOut{
		"type": kind, "team": slackOut{"id": s.creds.Team, "domain": "sandbox"}, "api_app_id": s.creds.App, "token": "none",
		"user": slackOut{"id": user, "username": p.Name, "name": p.Name, "team_id": s.teamOf(p)}, "trigger_id": trigger,
		"enterprise": nil, "is_enterprise_install": false,
	}
}

// findAction makes the action object that Slack sends for a press of actionID.
func findAction(raw json.RawMessage, actionID, value string) (slackBlock, error) {
	var blocks []slackBlock
	if len(raw) > 0 && json.Unmarshal(raw, &blocks) != nil {
		return nil, fmt.Errorf("the message has no readable blocks")
	}
	for _, b := range blocks {
		elements, _ := b["elements"].([]any)
		for _, item := range elements {
			e, _ := item.(slackBlock)
			if b["type"] != "actions" || e["action_id"] != actionID {
				continue
			}
			action := slackBlock{"action_id": actionID, "block_id": b["block_id"], "type": e["type"], "action_ts": "1700000000.000001"}
			if e["type"] == "button" {
				action["text"], action["value"] = e["text"], e["value"]
				return action, nil
			}
			options, _ := e["options"].([]any)
			for _, o := range options {
				if option, _ := o.(slackBlock); option["value"] == value {
					action["selected_option"] = option
					return action, nil
				}
			}
			return nil, fmt.Errorf("menu %q has no option %q", actionID, value)
		}
	}
	return nil, fmt.Errorf("there is no button %q to press any more", actionID)
}

// press records the press, sends it as Slack does, and records how it was acknowledged.
func (s *Slack) press(ctx context.Context, payload slackOut, user string, action slackBlock) ([]byte, error) {
	raw, err := json.Marshal(payload)
	if err != nil {
		return nil, fmt.Errorf("writing the payload: %w", err)
	}
	entry := Entry{Service: "slack", Method: "PRESS", Path: pressPath(action), Actor: user, Status: 202}
	if decides(action) {
		entry.Effect = EffectPress
	}
	s.w.Record(entry)
	answer, err := s.send(ctx, "interactive", raw, url.Values{"payload": {string(raw)}})
	entry.Method, entry.Effect, entry.Status = "ACK", "", 200
	if err != nil {
		entry.Status = 504
	}
	s.w.Record(entry)
	return answer, err
}

type slackRoute struct {
	Request string `json:"request"`
	Verb    string `json:"verb"`
}

// routeOf reads the request and the verb that the app put into a button, a menu's block id or a modal.
func routeOf(action slackBlock) slackRoute {
	var at slackRoute
	text, _ := action["value"].(string)
	if action["selected_option"] != nil {
		text, _ = action["block_id"].(string)
	}
	_ = json.Unmarshal([]byte(text), &at) // a button of another shape simply has no route
	return at
}

func pressPath(action slackBlock) string {
	at := routeOf(action)
	return at.Request + "/" + at.Verb
}

func decides(action slackBlock) bool {
	switch routeOf(action).Verb {
	case "approve", "reject", "answer":
		return true
	}
	return false
}
