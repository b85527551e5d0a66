package slack_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/tourniquet-ir/tourniquet/integrations/chat"
	"github.com/tourniquet-ir/tourniquet/integrations/chat/slack"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
)

// The limits of Slack's reference of blocks and views, written down a second time and apart from the product, which has
// a check of its own: this one shares no code with it, nor with the sandbox.

type node = map[string]any

// room is the most characters of a text, by the block or element that holds it and the field's name.
func room(kind, field string) int {
	limits := map[string]int{
		"header.text": 150, "section.text": 3000, "section.fields": 2000, "context.elements": 3000, "button.text": 75, "button.value": 2000,
		"button.url": 3000, "button.accessibility_label": 75, "input.label": 2000, "input.hint": 2000, "plain_text_input.placeholder": 150,
		"static_select.placeholder": 150, "option.text": 75, "option.value": 150, "link.url": 3000, "modal.title": 24, "modal.submit": 24, "modal.close": 24,
		"modal.private_metadata": 3000, "image.alt_text": 2000, "image.title": 2000, "modal.callback_id": 255,
	}
	if field == "action_id" || field == "block_id" {
		return 255
	}
	return limits[kind+"."+field]
}

type documented struct {
	faults []string
	total  int
	blocks map[string]bool
}

func (d *documented) wrong(format string, args ...any) {
	d.faults = append(d.faults, fmt.Sprintf(format, args...))
}

func (d *documented) many(kind, field string, n, most int) {
	if n < 1 || n > most {
		d.wrong("%s.%s holds %d, and Slack takes 1 to %d", kind, field, n, most)
	}
}

// walk checks one object; kind is its type, or the name of what has none.
func (d *documented) walk(kind string, n node) {
	actions := map[string]bool{}
	for field, v := range n {
		switch v := v.(type) {
		case string:
			d.text(kind, field, v)
		case node:
			d.child(kind, field, v)
		case []any:
			switch kind + "." + field {
			case "actions.elements":
				d.many(kind, field, len(v), 25)
			case "context.elements", "section.fields":
				d.many(kind, field, len(v), 10)
			case "static_select.options":
				d.many(kind, field, len(v), 100)
			}
			for _, item := range v {
				child, ok := item.(node)
				if !ok {
					continue
				}
				if id, _ := child["action_id"].(string); id != "" {
					if actions[id] {
						d.wrong("action_id %q stands twice in one block", id)
					}
					actions[id] = true
				}
				d.child(kind, field, child)
			}
		}
	}
	if id, _ := n["block_id"].(string); id != "" {
		if d.blocks[id] {
			d.wrong("block_id %q stands twice", id)
		}
		d.blocks[id] = true
	}
}

func (d *documented) child(kind, field string, v node) {
	own, _ := v["type"].(string)
	switch own {
	case "plain_text", "mrkdwn":
		if own == "mrkdwn" {
			d.wrong("%s.%s is mrkdwn", kind, field)
		}
		words, _ := v["text"].(string)
		if words == "" {
			d.wrong("%s.%s is empty", kind, field)
		}
		if most := room(kind, field); most > 0 && utf8.RuneCountInString(words) > most {
			d.wrong("%s.%s has %d characters, and Slack takes %d", kind, field, utf8.RuneCountInString(words), most)
		}
		d.total += utf8.RuneCountInString(words)
		return
	case "":
		own = strings.TrimSuffix(field, "s")
	}
	d.walk(own, v)
}

func (d *documented) text(kind, field, v string) {
	if most := room(kind, field); most > 0 && utf8.RuneCountInString(v) > most {
		d.wrong("%s.%s has %d characters, and Slack takes %d", kind, field, utf8.RuneCountInString(v), most)
	}
	if kind == "text" && field == "text" || kind == "link" && field == "text" {
		if v == "" {
			d.wrong("a text of rich text is empty")
		}
		d.total += utf8.RuneCountInString(v)
	}
}

// checkMessage says what Slack's documentation forbids in the blocks of a message.
func checkMessage(raw string) []string {
	d := &documented{blocks: map[string]bool{}}
	d.list(raw, 50)
	if d.total > 13000 {
		d.wrong("the message has %d characters, and Slack takes about 13000", d.total)
	}
	return d.faults
}

func (d *documented) list(raw string, most int) {
	var blocks []node
	if err := json.Unmarshal([]byte(raw), &blocks); err != nil {
		d.wrong("the blocks are not JSON: %v", err)
	}
	d.many("message", "blocks", len(blocks), most)
	for _, b := range blocks {
		kind, _ := b["type"].(string)
		switch kind {
		case "header", "section", "rich_text", "context", "actions", "divider", "input", "image":
		default:
			d.wrong("a block of type %q", kind)
		}
		d.walk(kind, b)
	}
}

// checkModal does so for a view.
func checkModal(raw string) []string {
	d := &documented{blocks: map[string]bool{}}
	var view node
	if err := json.Unmarshal([]byte(raw), &view); err != nil {
		return []string{err.Error()}
	}
	if len(raw) > 250<<10 {
		d.wrong("the view has %d bytes, and Slack takes 250 kB", len(raw))
	}
	blocks, err := json.Marshal(view["blocks"])
	if err != nil {
		d.wrong("%v", err)
	}
	delete(view, "blocks")
	d.walk("modal", view)
	d.list(string(blocks), 100)
	return d.faults
}

// drawn checks whatever a request to Slack shows to people.
func (a auditor) drawn(r *http.Request, method string, body []byte) {
	fields := map[string]string{}
	var loose map[string]json.RawMessage
	if json.Unmarshal(body, &loose) == nil {
		for name, raw := range loose {
			fields[name] = string(raw)
		}
	} else if form, err := url.ParseQuery(string(body)); err == nil {
		for name := range form {
			fields[name] = form.Get(name)
		}
	}
	var faults []string
	if blocks := fields["blocks"]; blocks != "" {
		faults = checkMessage(blocks)
	}
	if view := fields["view"]; view != "" {
		faults = append(faults, checkModal(view)...)
	}
	for _, f := range faults {
		a.t.Errorf("%s %s: %s", r.Method, method, f)
	}
}

// Any view at all gives cards and modals that Slack takes, and that show nothing as markup.
func TestEveryCardOfEveryViewStaysInsideSlacksDocumentedLimits(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		v := anyView(t)
		raw, err := json.Marshal(slack.Card(v))
		if err != nil {
			t.Fatal(err)
		}
		faults := checkMessage(string(raw))
		for _, page := range []int{0, 1, 2, 1 << 20} { // the last stands for whatever is left
			modal := slack.Review(v, chat.Delivery{Channel: "C1", TS: "1.000001"}, page)
			raw, err := json.Marshal(modal)
			if err != nil {
				t.Fatal(err)
			}
			faults = append(faults, checkModal(string(raw))...)
		}
		raw, err = json.Marshal(slack.RejectForm(v, chat.Delivery{}))
		if err != nil {
			t.Fatal(err)
		}
		if faults = append(faults, checkModal(string(raw))...); len(faults) > 0 {
			t.Fatalf("%s", strings.Join(faults, "\n"))
		}
	})
}

func anyView(t *rapid.T) signoff.View {
	words := rapid.OneOf(rapid.Just(""), rapid.String(), rapid.Just("\u202E\u200B\x00<!channel>"), rapid.Custom(func(t *rapid.T) string {
		return strings.Repeat(rapid.SampledFrom([]string{"x", "ж", "\u202E", "a\n", "<", "💣"}).Draw(t, "letter"), rapid.IntRange(0, 6000).Draw(t, "many"))
	}))
	text := func(name string) string { return words.Draw(t, name) }
	v := openView()
	v.Title, v.Why, v.Spent, v.Waiting, v.Who, v.WhoNot, v.Otherwise, v.Place = text("title"), text("why"), text("spent"), text("waiting"), text("who"), text("whonot"), text("otherwise"), text("place")
	v.State = rapid.SampledFrom([]string{signoff.StateOpen, signoff.StateQuorum, signoff.StateRejected, "", "odd"}).Draw(t, "state")
	v.Link, v.Envelope.Incident, v.Envelope.Playbook = text("link"), text("incident"), text("playbook")
	if rapid.Bool().Draw(t, "alarmed") {
		v.Alarm = &signoff.Alarm{Why: text("alarm"), Chart: rapid.SampledFrom([]string{"", "F0123456789", "nonsense\x00"}).Draw(t, "chart")}
	}
	for range rapid.IntRange(0, 7).Draw(t, "items") {
		v.Impact, v.Next, v.Refused = append(v.Impact, text("impact")), append(v.Next, text("next")), append(v.Refused, text("refused"))
		v.Changes = append(v.Changes, signoff.Change{Target: text("target"), Before: text("before"), After: text("after"), Undo: text("undo")})
		v.Decided = append(v.Decided, signoff.Decision{Name: text("name"), Verb: signoff.Approve, Reason: text("reason"), Surface: text("surface")})
		v.Envelope.Calls = append(v.Envelope.Calls, signoff.PlannedCall{Action: text("action"), Target: text("target"), Effect: text("effect"), Reach: text("reach"),
			Inputs: map[string]any{text("input"): text("value")}, State: map[string]string{text("field"): text("is")}})
	}
	return v
}
