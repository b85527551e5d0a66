package sandbox

import (
	"encoding/json"
	"strings"
)

// SlackMessage is one message as it stands. For holds the only person who sees an ephemeral one.
type SlackMessage struct {
	Channel  string          `json:"channel"`
	TS       string          `json:"ts"`
	Thread   string          `json:"thread,omitempty"`
	Text     string          `json:"text"`
	Blocks   json.RawMessage `json:"blocks,omitempty"`
	Metadata json.RawMessage `json:"metadata,omitempty"`
	Edited   bool            `json:"edited,omitempty"`
	For      string          `json:"for,omitempty"`
	From     string          `json:"from"` // Tourniquet, Slackbot, or a person's name
}

// Messages is a copy of what the workspace holds, oldest first, ephemeral messages included.
func (s *Slack) Messages() []SlackMessage {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]SlackMessage, len(s.messages))
	for i, m := range s.messages {
		out[i] = *m
	}
	return out
}

// slackWords are the names that one method has for what several refuse.
type slackWords struct{ archived, out, long string }

func slackPostWords() slackWords {
	return slackWords{"is_archived", "not_in_channel", "msg_blocks_too_long"}
}
func slackEditWords() slackWords {
	return slackWords{"is_inactive", "channel_not_found", "msg_too_long"}
}
func slackEphemeralWords() slackWords {
	return slackWords{"is_archived", "not_in_channel", "msg_too_long"}
}

// readMessage checks what chat.postMessage, chat.update and chat.postEphemeral have in common.
func (s *Slack) readMessage(a slackArgs, say slackWords) (*SlackMessage, slackOut) {
	c := s.channel(a.get("channel"))
	switch {
	case c == nil:
		return nil, slackRefuse("channel_not_found")
	case c.Archived:
		return nil, slackRefuse(say.archived)
	case c.Out:
		return nil, slackRefuse(say.out)
	}
	m := &SlackMessage{Channel: c.ID, Text: a.get("text"), Thread: a.get("thread_ts"), From: "Tourniquet"}
	if blocks := a.get("blocks"); blocks != "" {
		if code, why := checkBlocks(blocks, 50); code != "" {
			if code == "msg_blocks_too_long" {
				code = say.long
			}
			return nil, slackOut{"ok": false, "error": code, "errors": []string{why}, "response_metadata": slackOut{"messages": []string{"[ERROR] " + why}}}
		}
		if why := s.checkFiles(blocks); why != "" {
			return nil, slackOut{"ok": false, "error": "invalid_blocks", "errors": []string{why}, "response_metadata": slackOut{"messages": []string{"[ERROR] " + why}}}
		}
		m.Blocks = withBlockIDs(json.RawMessage(blocks))
	}
	if metadata := a.get("metadata"); metadata != "" {
		var read struct {
			Type    string         `json:"event_type"`
			Payload map[string]any `json:"event_payload"`
		}
		if json.Unmarshal([]byte(metadata), &read) != nil || read.Type == "" || read.Payload == nil {
			return nil, slackRefuse("invalid_metadata_format")
		}
		m.Metadata = json.RawMessage(metadata)
	}
	switch {
	case m.Text == "" && len(m.Blocks) == 0:
		return nil, slackRefuse("no_text")
	case m.Thread != "" && s.message(c.ID, m.Thread) == nil:
		return nil, slackRefuse("cannot_reply_to_message")
	}
	if text := []rune(m.Text); len(text) > 40000 {
		if say.long == "msg_too_long" {
			return nil, slackRefuse("msg_too_long")
		}
		m.Text = string(text[:40000]) // chat.postMessage cuts it and says so in a warning
	}
	return m, nil
}

func (s *Slack) postMessage(a slackArgs) slackOut {
	m, refusal := s.readMessage(a, slackPostWords())
	if refusal != nil {
		return refusal
	}
	m.TS = s.nextTS()
	s.messages = append(s.messages, m)
	s.touch()
	return slackOut{"ok": true, "channel": m.Channel, "ts": m.TS, "message": slackOut{"type": "message", "ts": m.TS, "text": m.Text, "user": s.creds.Bot}}
}

func (s *Slack) updateMessage(a slackArgs) slackOut {
	old := s.message(a.get("channel"), a.get("ts"))
	if s.channel(a.get("channel")) != nil && old == nil {
		return slackRefuse("message_not_found")
	}
	m, refusal := s.readMessage(a, slackEditWords())
	switch {
	case refusal != nil:
		return refusal
	case old.For != "" || old.From != "Tourniquet":
		return slackRefuse("cant_update_message")
	}
	old.Text, old.Blocks, old.Edited = m.Text, m.Blocks, true
	if m.Metadata != nil {
		old.Metadata = m.Metadata
	}
	s.touch()
	return slackOut{"ok": true, "channel": old.Channel, "ts": old.TS, "text": old.Text,
		"message": slackOut{"type": "message", "text": old.Text, "user": s.creds.Bot}}
}

func (s *Slack) postEphemeral(a slackArgs) slackOut {
	m, refusal := s.readMessage(a, slackEphemeralWords())
	if refusal != nil {
		return refusal
	}
	if p, known := s.person(a.get("user")); !known || p.Deleted {
		return slackRefuse("user_not_in_channel")
	}
	m.TS, m.For = s.nextTS(), a.get("user")
	s.messages = append(s.messages, m)
	s.touch()
	return slackOut{"ok": true, "message_ts": m.TS}
}

// slackbot tells one person what Slack itself has to say. The lock is not held.
func (s *Slack) slackbot(channel, user, text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.messages = append(s.messages, &SlackMessage{Channel: channel, TS: s.nextTS(), Text: text, For: user, From: "Slackbot"})
	s.touch()
}

func (s *Slack) permalink(a slackArgs) slackOut {
	if s.channel(a.get("channel")) == nil {
		return slackRefuse("channel_not_found")
	}
	if s.message(a.get("channel"), a.get("message_ts")) == nil {
		return slackRefuse("message_not_found")
	}
	return slackOut{"ok": true, "channel": a.get("channel"),
		"permalink": "http://" + a.host + "/#" + a.get("channel") + "-" + strings.ReplaceAll(a.get("message_ts"), ".", "")}
}
