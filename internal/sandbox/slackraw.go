package sandbox

import (
	"context"
	"encoding/json"
	"net/url"
)

// Inject hands the app a payload that no client of Slack ever made, over Socket Mode or the signed HTTP door: what somebody
// could send who has got hold of the workspace's own credentials. It returns the acknowledgement.
func (s *Slack) Inject(ctx context.Context, payload []byte) ([]byte, error) {
	return s.send(ctx, "interactive", payload, url.Values{"payload": {string(payload)}})
}

// PostAs is another app, or a person, posting a message of their own; it returns its ts.
func (s *Slack) PostAs(name, channel, text string, blocks json.RawMessage) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.touch()
	ts := s.nextTS()
	s.messages = append(s.messages, &SlackMessage{Channel: channel, TS: ts, Text: text, Blocks: blocks, From: name})
	return ts
}
