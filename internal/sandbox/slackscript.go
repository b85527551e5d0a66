package sandbox

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// ScriptedPerson is somebody who presses by themselves. Their presses are signed and sent like everybody's.
type ScriptedPerson struct {
	User   string        // Slack user id
	After  time.Duration // from seeing the card to pressing
	Reject string        // with a reason they reject instead of approving
	Answer string        // what they choose when asked, one word for each question; "" chooses the first
	Loose  bool          // chooses the first, too, when a question offers none of the words
}

// Script is who presses during a drill.
type Script struct {
	People []ScriptedPerson
	Note   func(string) // told what happened; may be nil
}

// AutoApprove watches the workspace and has the scripted people review and decide every card and answer every
// question, once each, until ctx ends.
func (s *Slack) AutoApprove(ctx context.Context, script Script) {
	var busy sync.WaitGroup
	defer busy.Wait()
	seen := map[string]bool{}
	for {
		changed := s.Changed()
		for _, m := range s.Messages() {
			at, open := waiting(m)
			if !open || m.For != "" {
				continue
			}
			for _, p := range script.People {
				mark := p.User + " " + m.Channel + " " + m.TS + " " + at.Request
				if !seen[mark] {
					seen[mark] = true
					busy.Go(func() { s.act(ctx, script, p, m, at) })
				}
			}
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return
		}
	}
}

// Insist is AutoApprove for people who do not give up: who still sees buttons a while after pressing presses again, as people
// do whose tap was lost. Each of them does one thing after the other, the longest untouched first.
func (s *Slack) Insist(ctx context.Context, script Script, while time.Duration) {
	var busy sync.WaitGroup
	defer busy.Wait()
	for _, p := range script.People {
		busy.Go(func() {
			touched := map[string]time.Time{}
			for ctx.Err() == nil {
				changed := s.Changed()
				m, at, found := s.untouched(touched, time.Now().Add(-while))
				if found {
					touched[m.Channel+" "+m.TS] = time.Now()
					within, cancel := context.WithTimeout(ctx, p.After+while)
					s.act(within, script, p, m, at)
					cancel()
					continue
				}
				select {
				case <-changed:
				case <-time.After(while / 4):
				case <-ctx.Done():
				}
			}
		})
	}
}

// untouched is the message that asks for something and was pressed the longest ago, before a time or never.
func (s *Slack) untouched(touched map[string]time.Time, before time.Time) (found SlackMessage, at slackRoute, ok bool) {
	for _, m := range s.Messages() {
		last := touched[m.Channel+" "+m.TS]
		if m.For != "" || last.After(before) || ok && !last.Before(touched[found.Channel+" "+found.TS]) {
			continue
		}
		if to, open := waiting(m); open {
			found, at, ok = m, to, true
		}
	}
	return found, at, ok
}

// waiting finds what a message asks for: the route of its first button or menu.
func waiting(m SlackMessage) (slackRoute, bool) {
	if !bytes.Contains(m.Blocks, []byte(`"actions"`)) {
		return slackRoute{}, false // most messages ask for nothing, and all are looked at again and again
	}
	for _, e := range interactive(m.Blocks) {
		if at := routeOf(e); at.Verb == "review" || at.Verb == "answer" {
			return at, true
		}
	}
	return slackRoute{}, false
}

// interactive lists the elements of actions blocks; a menu carries its block id and first option.
func interactive(raw json.RawMessage) []slackBlock {
	var blocks []slackBlock
	_ = json.Unmarshal(raw, &blocks) // a message without blocks has none
	var out []slackBlock
	for _, b := range blocks {
		elements, _ := b["elements"].([]any)
		for _, item := range elements {
			e, _ := item.(slackBlock)
			if b["type"] != "actions" {
				continue
			}
			if options, _ := e["options"].([]any); len(options) > 0 {
				e["block_id"], e["selected_option"] = b["block_id"], options[0]
			}
			out = append(out, e)
		}
	}
	return out
}

func (s *Slack) act(ctx context.Context, script Script, p ScriptedPerson, m SlackMessage, at slackRoute) {
	timer := time.NewTimer(p.After)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
		return
	}
	var err error
	if at.Verb == "answer" {
		err = s.scriptAnswer(ctx, p, m)
	} else {
		err = s.scriptDecide(ctx, p, m, at)
	}
	if err != nil && script.Note != nil {
		script.Note(fmt.Sprintf("%s did not decide %q: %v", p.User, at.Request, err))
	}
}

// offered is the first option of a list that is among words, or else the first one.
func offered(list slackBlock, words []string) string {
	first := ""
	options, _ := list["options"].([]any)
	for i, item := range options {
		option, _ := item.(slackBlock)
		value, _ := option["value"].(string)
		if slices.Contains(words, value) {
			return value
		}
		if i == 0 {
			first = value
		}
	}
	return first
}

func (s *Slack) scriptAnswer(ctx context.Context, p ScriptedPerson, m SlackMessage) error {
	words, first := strings.Fields(p.Answer), ""
	for _, e := range interactive(m.Blocks) {
		id, _ := e["action_id"].(string)
		if e["type"] == "static_select" {
			return s.Choose(ctx, p.User, m.Channel, m.TS, id, offered(e, words))
		}
		var carried struct {
			Answer string `json:"answer"`
		}
		text, _ := e["value"].(string)
		_ = json.Unmarshal([]byte(text), &carried) // a button of another shape has no answer
		if p.Answer == "" || slices.Contains(words, carried.Answer) {
			return s.Press(ctx, p.User, m.Channel, m.TS, id)
		}
		if first == "" && carried.Answer != "" {
			first = id
		}
	}
	if p.Loose && first != "" {
		return s.Press(ctx, p.User, m.Channel, m.TS, first)
	}
	return fmt.Errorf("the question does not offer %q", p.Answer)
}

// scriptDecide presses the card's button, reads every page and submits.
func (s *Slack) scriptDecide(ctx context.Context, p ScriptedPerson, m SlackMessage, at slackRoute) error {
	verb, values := "review", map[string]map[string]string(nil)
	if p.Reject != "" {
		verb, values = "reject_form", map[string]map[string]string{"reason": {"reason": p.Reject}}
	}
	for _, e := range interactive(m.Blocks) {
		if id, _ := e["action_id"].(string); routeOf(e).Verb == verb {
			if err := s.Press(ctx, p.User, m.Channel, m.TS, id); err != nil {
				return err
			}
		}
	}
	hash := ""
	for {
		view, err := s.awaitView(ctx, p.User, at.Request, hash)
		if err != nil {
			return err
		}
		body, _ := readView(string(view.Content))
		if body.Submit != nil {
			return s.Submit(ctx, p.User, view.ID, values)
		}
		hash = view.Hash
		next := ""
		for _, e := range interactive(body.Blocks) {
			next, _ = e["action_id"].(string)
		}
		if err := s.PressInView(ctx, p.User, view.ID, next); err != nil {
			return err
		}
	}
}

// awaitView waits until user has a modal for the request whose hash is another than before.
func (s *Slack) awaitView(ctx context.Context, user, request, before string) (SlackView, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	for {
		changed := s.Changed()
		for _, v := range s.Views() {
			body, _ := readView(string(v.Content))
			if v.User == user && v.Hash != before && routeOf(slackBlock{"value": body.Metadata}).Request == request {
				return v, nil
			}
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return SlackView{}, fmt.Errorf("no review opened for %q", user)
		}
	}
}

// Act has one person decide the newest message that still asks for something.
func (s *Slack) Act(ctx context.Context, p ScriptedPerson) error {
	messages := s.Messages()
	for i := len(messages) - 1; i >= 0; i-- {
		m := messages[i]
		at, open := waiting(m)
		switch {
		case !open || m.For != "":
		case at.Verb == "answer":
			return s.scriptAnswer(ctx, p, m)
		default:
			return s.scriptDecide(ctx, p, m, at)
		}
	}
	return fmt.Errorf("nothing in Slack waits for anybody")
}
