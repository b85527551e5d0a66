package sandbox

import (
	"encoding/json"
	"fmt"
	"time"
)

const slackPatience = 3 * time.Second // how long Slack waits for an app, and how long a trigger lives

// SlackView is an open modal.
type SlackView struct {
	ID      string            `json:"id"`
	User    string            `json:"user"`
	Hash    string            `json:"hash"`
	Content json.RawMessage   `json:"content"` // the view as the app sent it
	Errors  map[string]string `json:"errors,omitempty"`
	Failed  string            `json:"failed,omitempty"` // what Slack says when the app did not answer
}

type slackViewBody struct {
	Type     string          `json:"type"`
	Title    slackBlock      `json:"title"`
	Submit   slackBlock      `json:"submit"`
	Blocks   json.RawMessage `json:"blocks"`
	Metadata string          `json:"private_metadata"`
	Callback string          `json:"callback_id"`
}

func readView(raw string) (slackViewBody, slackOut) {
	var v slackViewBody
	bad := func(why string) slackOut {
		return slackOut{"ok": false, "error": "invalid_arguments", "response_metadata": slackOut{"messages": []string{"[ERROR] " + why}}}
	}
	if json.Unmarshal([]byte(raw), &v) != nil || v.Type != "modal" {
		return v, bad("view must be a modal")
	}
	if len(raw) > 250<<10 {
		return v, slackRefuse("view_too_large")
	}
	if why := checkText(v.Title, 24, true); why != "" {
		return v, bad("title: " + why)
	}
	if v.Submit != nil {
		if why := checkText(v.Submit, 24, true); why != "" {
			return v, bad("submit: " + why)
		}
	}
	if len([]rune(v.Metadata)) > 3000 || len([]rune(v.Callback)) > 255 {
		return v, bad("private_metadata or callback_id is too long")
	}
	if _, why := checkBlocks(string(v.Blocks), 100); why != "" {
		return v, bad(why)
	}
	var blocks []slackBlock
	_ = json.Unmarshal(v.Blocks, &blocks) // checked above
	for _, b := range blocks {
		if b["type"] == "input" && v.Submit == nil {
			return v, bad("submit is required when an input block is used")
		}
	}
	return v, nil
}

func (s *Slack) openView(a slackArgs) slackOut {
	t, known := s.triggers[a.get("trigger_id")]
	switch {
	case !known:
		return slackRefuse("invalid_trigger_id")
	case t.used:
		return slackRefuse("exchanged_trigger_id")
	case s.w.Now().Sub(t.at) > slackPatience:
		return slackRefuse("expired_trigger_id")
	}
	if _, refusal := readView(a.get("view")); refusal != nil {
		return refusal
	}
	t.used = true
	s.triggers[a.get("trigger_id")] = t
	for id, old := range s.views {
		if old.User == t.user {
			delete(s.views, id)
		}
	}
	v := &SlackView{ID: "V" + randomText("0123456789ABCDEFGHJKLMNPQRSTUVWXYZ", 9), User: t.user}
	s.views[v.ID] = v
	s.fill(v, []byte(a.get("view")))
	return slackOut{"ok": true, "view": s.viewOut(v)}
}

func (s *Slack) updateView(a slackArgs) slackOut {
	v := s.views[a.get("view_id")]
	switch {
	case v == nil:
		return slackRefuse("not_found")
	case a.get("hash") != "" && a.get("hash") != v.Hash:
		return slackRefuse("hash_conflict")
	}
	if _, refusal := readView(a.get("view")); refusal != nil {
		return refusal
	}
	s.fill(v, []byte(a.get("view")))
	return slackOut{"ok": true, "view": s.viewOut(v)}
}

func (s *Slack) fill(v *SlackView, content []byte) {
	var fields map[string]json.RawMessage
	if json.Unmarshal(content, &fields) == nil {
		fields["blocks"] = withBlockIDs(fields["blocks"])
		if filled, err := json.Marshal(fields); err == nil {
			content = filled
		}
	}
	v.Content, v.Errors, v.Failed = json.RawMessage(content), nil, ""
	v.Hash = s.nextTS() + "." + randomText(lowerAlphabet, 6)
	s.touch()
}

// viewOut is the view as Slack gives it back: with its id, hash and owner.
func (s *Slack) viewOut(v *SlackView) slackOut {
	out := slackOut{}
	_ = json.Unmarshal(v.Content, &out) // it was checked when it came in
	out["id"], out["hash"], out["team_id"], out["app_id"] = v.ID, v.Hash, s.creds.Team, s.creds.App
	out["root_view_id"] = v.ID
	out["state"] = slackOut{"values": slackOut{}}
	return out
}

// Views is a copy of the modals that are open now.
func (s *Slack) Views() []SlackView {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []SlackView
	for _, v := range s.views {
		out = append(out, *v)
	}
	return out
}

// CloseView closes a modal without submitting it.
func (s *Slack) CloseView(user, id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if v := s.views[id]; v != nil && v.User == user {
		delete(s.views, id)
		s.touch()
	}
}

func (s *Slack) viewFailed(id string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if v := s.views[id]; v != nil {
		v.Failed = "We had some trouble connecting. Try again? (" + err.Error() + ")"
		s.touch()
	}
}

// submitted obeys the app's answer to a submission.
func (s *Slack) submitted(id string, answer []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	v := s.views[id]
	if v == nil {
		return nil
	}
	var told struct {
		Action string            `json:"response_action"`
		View   json.RawMessage   `json:"view"`
		Errors map[string]string `json:"errors"`
	}
	if len(answer) > 0 && json.Unmarshal(answer, &told) != nil {
		v.Failed = "We had some trouble connecting. Try again?"
		s.touch()
		return fmt.Errorf("the app answered a submission with something that is not JSON")
	}
	switch told.Action {
	case "errors":
		v.Errors = told.Errors
		s.touch()
	case "update":
		if _, refusal := readView(string(told.View)); refusal != nil {
			v.Failed = "We had some trouble connecting. Try again?"
			s.touch()
			return fmt.Errorf("the app answered with a view that Slack refuses: %v", refusal)
		}
		s.fill(v, told.View)
	default:
		delete(s.views, id)
		s.touch()
	}
	return nil
}
