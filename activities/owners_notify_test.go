package activities

import (
	"context"
	"strings"
	"testing"

	"github.com/tourniquet-ir/tourniquet/integrations/chat"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

// listener is a chat that keeps its notes.
type listener struct {
	chat.Chat
	notes []chat.Note
}

func (l *listener) Tell(_ context.Context, n chat.Note) (chat.Delivery, error) {
	l.notes = append(l.notes, n)
	return chat.Delivery{}, nil
}

// lone knows one person.
type lone struct {
	People
	person incident.Person
}

func (l lone) Person(id string) (incident.Person, bool) { return l.person, id == l.person.ID }

func TestAnOwnerIsSaidToBeToldOnlyByTheWaysThatReachThem(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		owner       incident.Person
		chat, mail  bool
		told        string
		to, subject string // of the note
	}{
		"chat and mail":        {incident.Person{ID: "kim", Slack: "U0KIM", Email: "kim@example.com"}, true, true, "kim, by direct message and mail", "U0KIM", "Your gemini key"},
		"mail only":            {incident.Person{ID: "kim", Email: "kim@example.com"}, true, true, "kim, by mail", "", "tell its owner kim"},
		"no mailer":            {incident.Person{ID: "kim", Slack: "U0KIM", Email: "kim@example.com"}, true, false, "kim, by direct message", "U0KIM", "Your gemini key"},
		"neither":              {incident.Person{ID: "kim"}, true, true, "the responders: kim has no account in chat", "", "tell its owner kim"},
		"chat is off":          {incident.Person{ID: "kim", Slack: "U0KIM"}, false, true, "nobody: kim can be reached neither", "", ""},
		"unknown":              {incident.Person{ID: "lee"}, true, true, "the responders: the owner is not known", "", "tell its owner kim"},
		"unknown without chat": {incident.Person{ID: "lee"}, false, true, "nobody: the owner is not known", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, l, m := build(t), &listener{}, &talk{}
			b.h.People, b.key.Owner = lone{person: c.owner}, "kim"
			if c.chat {
				b.h.Chat = l
			}
			if c.mail {
				b.h.Mailer = m
			}
			call := b.call("owners.notify", "key", nil)
			call.With["text"] = "the key is stopped"
			told, _ := b.done(t, call).Outputs["told"].(string)
			if !strings.HasPrefix(told, c.told) {
				t.Errorf("told %q, want %q", told, c.told)
			}
			if (len(l.notes) == 1) != c.chat || c.chat && (l.notes[0].Person != c.to || !strings.Contains(l.notes[0].Title, c.subject)) {
				t.Errorf("notes: %+v", l.notes)
			}
			if mailed, want := len(m.mails) == 1, strings.HasSuffix(c.told, "mail"); mailed != want {
				t.Errorf("mails: %v", m.mails)
			}
		})
	}
}
