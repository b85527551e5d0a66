package sandbox

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

func (s *Slack) authTest(slackArgs) slackOut {
	return slackOut{"ok": true, "url": "https://sandbox.slack.invalid/", "team": "Sandbox", "team_id": s.creds.Team,
		"user": "tourniquet", "user_id": s.creds.Bot, "bot_id": "B" + s.creds.Bot[1:]}
}

func (s *Slack) userInfo(a slackArgs) slackOut {
	p, known := s.person(a.get("user"))
	if !known && a.get("user") == s.creds.Bot {
		p, known = SlackPerson{ID: s.creds.Bot, Name: "Tourniquet", Bot: true}, true
	}
	if !known {
		return slackRefuse("user_not_found")
	}
	return slackOut{"ok": true, "user": slackOut{
		"id": p.ID, "team_id": s.teamOf(p), "name": strings.ToLower(strings.ReplaceAll(p.Name, " ", ".")), "real_name": p.Name,
		"deleted": p.Deleted, "is_bot": p.Bot, "is_restricted": p.Guest, "is_ultra_restricted": false, "is_stranger": p.Stranger,
		"tz": "Europe/Berlin", "profile": slackOut{"real_name": p.Name, "display_name": p.Name, "title": p.Title},
	}}
}

func (s *Slack) teamOf(p SlackPerson) string {
	if p.Team != "" {
		return p.Team
	}
	return s.creds.Team
}

func (s *Slack) listGroups(slackArgs) slackOut {
	groups := []slackOut{}
	for _, id := range slices.Sorted(maps.Keys(s.groups)) {
		groups = append(groups, slackOut{"id": id, "team_id": s.creds.Team, "is_usergroup": true, "handle": strings.ToLower(id), "name": id,
			"user_count": len(s.groups[id]), "date_delete": 0})
	}
	return slackOut{"ok": true, "usergroups": groups}
}

func (s *Slack) listGroupUsers(a slackArgs) slackOut {
	users, known := s.groups[a.get("usergroup")]
	if !known {
		return slackRefuse("no_such_subteam")
	}
	return slackOut{"ok": true, "users": append([]string{}, users...)}
}

func (s *Slack) conversationInfo(a slackArgs) slackOut {
	c := s.channel(a.get("channel"))
	if c == nil {
		return slackRefuse("channel_not_found")
	}
	return slackOut{"ok": true, "channel": s.channelOut(c)}
}

func (s *Slack) openConversation(a slackArgs) slackOut {
	users := a.get("users")
	if users == "" {
		return slackRefuse("users_list_not_supplied")
	}
	var several []string
	if json.Unmarshal([]byte(users), &several) == nil && len(several) == 1 {
		users = several[0]
	}
	p, known := s.person(users)
	switch {
	case !known:
		return slackRefuse("user_not_found")
	case p.Deleted:
		return slackRefuse("user_disabled")
	}
	id := "D" + p.ID[1:]
	if s.channel(id) == nil {
		s.channels = append(s.channels, &slackChannel{ID: id, Name: p.Name, Person: p.ID})
		s.touch()
	}
	return slackOut{"ok": true, "channel": slackOut{"id": id}}
}
