package sandbox

import (
	"strings"
	"unicode/utf8"
)

func (s *Slack) createConversation(a slackArgs) slackOut {
	name := a.get("name")
	switch {
	case name == "":
		return slackRefuse("invalid_name_required")
	case utf8.RuneCountInString(name) > 80:
		return slackRefuse("invalid_name_maxlength")
	case strings.Trim(name, "-_") == "":
		return slackRefuse("invalid_name_punctuation")
	case strings.ContainsFunc(name, func(r rune) bool {
		return r != '-' && r != '_' && (r < '0' || r > '9') && (r < 'a' || r > 'z')
	}):
		return slackRefuse("invalid_name_specials")
	}
	for _, c := range s.channels {
		if c.Person == "" && c.Name == name {
			return slackRefuse("name_taken")
		}
	}
	c := &slackChannel{ID: "C" + randomText("0123456789ABCDEFGHJKLMNPQRSTUVWXYZ", 9), Name: name, Creator: s.creds.Bot}
	s.channels = append(s.channels, c)
	s.touch()
	return slackOut{"ok": true, "channel": s.channelOut(c)}
}

func (s *Slack) channelOut(c *slackChannel) slackOut {
	return slackOut{"id": c.ID, "name": c.Name, "is_channel": c.Person == "", "is_im": c.Person != "", "creator": c.Creator,
		"is_member": !c.Out, "is_ext_shared": c.Shared, "is_shared": c.Shared, "is_archived": c.Archived, "topic": slackOut{"value": c.Topic}}
}

func (s *Slack) listConversations(a slackArgs) slackOut {
	out := []slackOut{}
	for _, c := range s.channels {
		if c.Person == "" && !(c.Archived && a.get("exclude_archived") == "true") {
			out = append(out, s.channelOut(c))
		}
	}
	return slackOut{"ok": true, "channels": out, "response_metadata": slackOut{"next_cursor": ""}}
}

func (s *Slack) inviteToConversation(a slackArgs) slackOut {
	c, refusal := s.own(a)
	if refusal != nil {
		return refusal
	}
	users := strings.Split(a.get("users"), ",")
	if a.get("users") == "" {
		return slackRefuse("no_user")
	}
	for _, u := range users {
		p, known := s.person(u)
		switch {
		case u == s.creds.Bot:
			return slackRefuse("cant_invite_self")
		case !known:
			return slackRefuse("user_not_found")
		case p.Deleted:
			return slackRefuse("cant_invite")
		case c.Members[u]:
			return slackRefuse("already_in_channel")
		}
		if c.Members == nil {
			c.Members = map[string]bool{}
		}
		c.Members[u] = true
	}
	s.touch()
	return slackOut{"ok": true, "channel": s.channelOut(c)}
}

func (s *Slack) setTopic(a slackArgs) slackOut {
	c, refusal := s.own(a)
	switch {
	case refusal != nil:
		return refusal
	case utf8.RuneCountInString(a.get("topic")) > 250:
		return slackRefuse("too_long")
	}
	c.Topic = a.get("topic")
	s.touch()
	return slackOut{"ok": true, "channel": s.channelOut(c)}
}

// own finds a channel that the app is a member of.
func (s *Slack) own(a slackArgs) (*slackChannel, slackOut) {
	c := s.channel(a.get("channel"))
	switch {
	case c == nil:
		return nil, slackRefuse("channel_not_found")
	case c.Person != "":
		return nil, slackRefuse("method_not_supported_for_channel_type")
	case c.Archived:
		return nil, slackRefuse("is_archived")
	case c.Out:
		return nil, slackRefuse("not_in_channel")
	}
	return c, nil
}
