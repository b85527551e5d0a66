package sandbox

import (
	"encoding/json"
	"io"
	"net/http"
	"time"
)

const (
	mostResponses = 5
	responseAge   = 30 * time.Minute
)

// slackResponse is what a response_url leads to: one person in one channel, five times within half an hour.
type slackResponse struct {
	user, channel string
	at            time.Time
	used          int
}

// responseURL makes an address for answers to one act. The lock is held.
func (s *Slack) responseURL(user, channel string) string {
	if s.host == "" {
		return "" // nobody has called us yet, so there is no address to give
	}
	id := randomText(fullAlphabet, 24)
	s.responses[id] = &slackResponse{user: user, channel: channel, at: s.w.Now()}
	return "http://" + s.host + "/respond/" + id
}

// UseUpResponses makes every response_url that is given from now on, or was given, one that has been used five times.
func (s *Slack) UseUpResponses() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.usedUp = true
}

func (s *Slack) respond(rw http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(rw, r.Body, bodyLimit))
	if err != nil {
		http.Error(rw, "invalid_payload", http.StatusBadRequest)
		return
	}
	entry := Entry{Service: "slack", Method: r.Method, Path: "/respond", Actor: ActorResponder, Effect: EffectNotify}
	out := s.responded(r.PathValue("id"), body)
	status := http.StatusOK
	if out["ok"] != true {
		status = http.StatusNotFound
	}
	s.reply(rw, entry, status, out)
}

func (s *Slack) responded(id string, body []byte) slackOut {
	s.mu.Lock()
	defer s.mu.Unlock()
	to := s.responses[id]
	switch {
	case to == nil, s.w.Now().Sub(to.at) > responseAge:
		return slackRefuse("expired_url")
	case s.usedUp, to.used >= mostResponses:
		return slackRefuse("used_url")
	}
	var told struct {
		Kind   string          `json:"response_type"`
		Text   string          `json:"text"`
		Blocks json.RawMessage `json:"blocks"`
	}
	if json.Unmarshal(body, &told) != nil {
		return slackRefuse("invalid_payload")
	}
	if len(told.Blocks) > 0 {
		if code, _ := checkBlocks(string(told.Blocks), 50); code != "" {
			return slackRefuse(code)
		}
		told.Blocks = withBlockIDs(told.Blocks)
	}
	if told.Text == "" && len(told.Blocks) == 0 {
		return slackRefuse("no_text")
	}
	to.used++
	m := &SlackMessage{Channel: to.channel, TS: s.nextTS(), Text: told.Text, Blocks: told.Blocks, From: "Tourniquet"}
	if told.Kind != "in_channel" {
		m.For = to.user
	}
	s.messages = append(s.messages, m)
	s.touch()
	return slackOut{"ok": true}
}
