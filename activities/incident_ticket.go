package activities

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/tourniquet-ir/tourniquet/integrations/chat"
	"github.com/tourniquet-ir/tourniquet/integrations/tickets"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
	"github.com/tourniquet-ir/tourniquet/playbooks"
)

// notifies is the card of an action that tells somebody something and may be repeated.
func notifies(name, summary string, in, out []playbooks.Field, example map[string]any) playbooks.Card {
	return playbooks.Card{Name: name, Summary: summary, Effect: signoff.EffectNotify, Local: true, Repeat: true, Timeout: "30s", Attempts: 5, Inputs: in, Outputs: out, Example: example}
}

func incidentOpen() Action {
	return Action{
		Card: notifies("incident.open", "Open a ticket for the incident, once",
			[]playbooks.Field{{Name: "title", Type: playbooks.TypeString, Required: true, Doc: "the ticket's title"}, {Name: "text", Type: playbooks.TypeString, Doc: "the ticket's text"}},
			[]playbooks.Field{{Name: "id", Type: playbooks.TypeString, Required: true, Doc: "the tracker's id, or ours without a tracker"}, {Name: "url", Type: playbooks.TypeString, Required: true, Doc: "where it can be read"}},
			map[string]any{"id": "1", "url": "https://tracker.example/1"}),
		Run: func(ctx context.Context, h *House, in In) (Output, error) {
			if h.Tracker == nil {
				return Output{Summary: "no tracker is configured; the incident is kept here", Values: map[string]any{"id": in.Incident, "url": h.Console + "/runs/" + in.Run}}, nil
			}
			text := h.ticketText(in)
			t, err := h.Tracker.Open(ctx, in.Incident, in.Text("title"), text)
			if err != nil {
				return Output{}, err
			}
			return Output{Summary: t.URL, Values: map[string]any{"id": t.ID, "url": t.URL}}, h.DB.PutSetting(ctx, "ticket/"+in.Incident, t.ID)
		},
	}
}

// ticketText is what every ticket begins with: the author's words and then the facts, one a line.
func (h *House) ticketText(in In) string {
	lines := []string{}
	add := func(name, value string) {
		if value != "" {
			lines = append(lines, fmt.Sprintf("%-9s %s", name, value))
		}
	}
	a := in.Alert
	if text := in.Text("text"); text != "" {
		lines = append(lines, text, "")
	}
	add("incident", in.Incident)
	add("run", in.Run)
	add("alert", strings.TrimSpace(a.Kind+", "+a.Severity+", from "+a.Source))
	if !a.ObservedAt.IsZero() {
		add("observed", a.ObservedAt.UTC().Format(time.RFC3339))
	}
	add("key", strings.TrimSpace(strings.Join([]string{a.Key.Provider, a.Key.Account, a.Key.ID, a.Key.Hint}, " ")))
	if h.Console != "" {
		add("console", h.Console+"/runs/"+in.Run)
	}
	return strings.Join(lines, "\n")
}

// timeline is a comment with the time and place at which it was written.
func timeline(in In) string {
	return in.At.UTC().Format("2006-01-02 15:04:05 UTC") + ", " + in.Step + "\n\n" + in.Text("text")
}

func incidentUpdate() Action {
	return Action{
		Card: notifies("incident.update", "Add a comment to the incident's ticket",
			[]playbooks.Field{{Name: "text", Type: playbooks.TypeString, Required: true, Doc: "the comment"}}, nil, map[string]any{}),
		Run: func(ctx context.Context, h *House, in In) (Output, error) {
			id, ok, err := h.DB.Setting(ctx, "ticket/"+in.Incident)
			if err != nil || !ok || h.Tracker == nil {
				return Output{Summary: "there is no ticket to update"}, err
			}
			return Output{Summary: "commented"}, h.Tracker.Comment(ctx, id, in.Run+"/"+in.Step, timeline(in))
		},
	}
}

func incidentClose() Action {
	return Action{
		Card: notifies("incident.close", "Close the incident's ticket and the source's own alert",
			[]playbooks.Field{
				{Name: "summary", Type: playbooks.TypeString, Required: true, Doc: "how it ended"},
				{Name: "resolution", Type: playbooks.TypeString, Doc: "what the source is told of its alerts: revoked (default), false_positive, used_in_tests or wont_fix"},
			}, nil, map[string]any{}),
		Run: func(ctx context.Context, h *House, in In) (Output, error) {
			h.quiet(ctx, in.Run, true)
			source := h.resolve(ctx, in) // whatever the source says, the ticket is closed
			id, ok, err := h.DB.Setting(ctx, "ticket/"+in.Incident)
			if err != nil {
				return Output{}, err
			}
			if !ok || h.Tracker == nil {
				return Output{Summary: "there is no ticket to close"}, source
			}
			if err := h.Tracker.Close(ctx, id, in.Text("summary")); err != nil {
				return Output{}, err
			}
			return Output{Summary: "closed " + id}, source
		},
	}
}

// resolve tells GitHub of every alert of its own that the incident was about; others may have joined the first one.
func (h *House) resolve(ctx context.Context, in In) error {
	if h.Resolver == nil {
		return nil
	}
	all, err := h.DB.AlertsOf(ctx, in.Incident)
	if err != nil {
		return err
	}
	alerts := []incident.Alert{in.Alert}
	for _, a := range all {
		alerts = append(alerts, a.Alert)
	}
	done := map[string]bool{}
	for _, a := range alerts {
		if a.Source != "github" || len(a.Links) == 0 || done[a.Links[0]] {
			continue
		}
		done[a.Links[0]] = true
		if err := h.Resolver.Resolve(ctx, a.Links[0], cmp.Or(in.Text("resolution"), tickets.Revoked), in.Text("summary")); err != nil {
			return err
		}
	}
	return nil
}

func incidentReport() Action {
	return Action{
		Card: notifies("incident.report", "Write the report of the run and keep it as evidence", nil,
			[]playbooks.Field{{Name: "digest", Type: playbooks.TypeString, Required: true, Doc: "SHA-256 of the report"}},
			map[string]any{"digest": "sha256:0"}),
		Run: func(ctx context.Context, h *House, in In) (Output, error) {
			body, err := h.Report(ctx, in.Run)
			if err != nil {
				return Output{}, err
			}
			e, err := h.Evidence.Put(ctx, in.Run, in.Step, "report.md", "tourniquet", body, h.Now())
			if err != nil {
				return Output{}, err
			}
			return Output{Summary: e.Digest, Values: map[string]any{"digest": e.Digest}}, h.DB.PutEvidence(ctx, e)
		},
	}
}

func ownersNotify() Action {
	return Action{
		Card: notifies("owners.notify", "Tell the key's owner what happened and what they must do",
			[]playbooks.Field{{Name: "key", Type: playbooks.TypeKey, Required: true, Doc: "the key"}, {Name: "text", Type: playbooks.TypeString, Required: true, Doc: "what to tell"}},
			[]playbooks.Field{{Name: "told", Type: playbooks.TypeString, Required: true, Doc: "who was told, and how"}}, map[string]any{"told": "kim, by direct message"}),
		Run: notifyOwner,
	}
}

func notifyOwner(ctx context.Context, h *House, in In) (Output, error) {
	k, err := in.Key("key")
	if err != nil {
		return Output{}, err
	}
	owner, known := h.People.Person(k.Owner)
	title := "Your " + k.Provider + " key " + k.Hint + " is under attack"
	told := "the responders: the owner is not known"
	note := chat.Note{Title: title, Lines: []string{in.Text("text"), "Incident " + in.Incident}}
	if known {
		note.Person = owner.Slack
		told, err = h.ownerToo(ctx, in, owner, title)
		if err != nil {
			return Output{}, err
		}
	}
	if note.Person == "" { // the responders read it
		note.Title = "The " + k.Provider + " key " + k.Hint + " is under attack: tell its owner " + k.Owner
	}
	if h.Chat != nil {
		if _, err := h.Chat.Tell(ctx, note); err != nil {
			return Output{}, err
		}
	} else if !known {
		told = "nobody: the owner is not known, and chat is not configured"
	}
	return Output{Summary: told, Values: map[string]any{"told": told}}, nil
}

// ownerToo mails the owner where that is possible, and says by which ways they are told. Who has no account in chat reads
// nothing there: the note goes to the responders' channel, so that somebody can tell them.
func (h *House) ownerToo(ctx context.Context, in In, owner incident.Person, title string) (told string, err error) {
	var ways []string
	if owner.Slack != "" && h.Chat != nil {
		ways = append(ways, "direct message")
	}
	if owner.Email != "" && h.Mailer != nil {
		if err := h.Mailer.Send(ctx, []string{owner.Email}, title, in.Text("text")+"\n\nIncident "+in.Incident); err != nil {
			return "", err
		}
		ways = append(ways, "mail")
	}
	switch {
	case len(ways) > 0:
		return owner.ID + ", by " + strings.Join(ways, " and "), nil
	case h.Chat != nil:
		return "the responders: " + owner.ID + " has no account in chat and no mail address that is configured", nil
	}
	return "nobody: " + owner.ID + " can be reached neither in chat nor by mail", nil
}

func peoplePage() Action {
	return Action{
		Card: notifies("people.page", "Wake a group",
			[]playbooks.Field{{Name: "group", Type: playbooks.TypeString, Required: true, Doc: "a group of the configuration"}, {Name: "text", Type: playbooks.TypeString, Required: true, Doc: "why"}},
			nil, map[string]any{}),
		Run: func(ctx context.Context, h *House, in In) (Output, error) {
			members, _, err := h.People.Members(ctx, in.Text("group"))
			if err != nil {
				return Output{}, err
			}
			if h.Pager != nil {
				if err := h.wake(ctx, in.Run, in.Run+"/"+in.Step, in.Text("text"), members); err != nil {
					return Output{}, err
				}
			}
			if h.Chat != nil {
				if _, err := h.Chat.Tell(ctx, chat.Note{Title: "Paging " + in.Text("group"), Lines: []string{in.Text("text")}}); err != nil {
					return Output{}, err
				}
			}
			return Output{Summary: "paged " + in.Text("group")}, nil
		},
	}
}
