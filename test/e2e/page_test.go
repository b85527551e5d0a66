package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"testing"
	"time"
)

// client of every call that a test makes itself.
func client() *http.Client { return &http.Client{Timeout: 20 * time.Second} }

// page is the sandbox Slack in somebody's browser: what its script reads and sends.
type page struct{ url string }

type message struct {
	Channel, TS, Text, For string
	Blocks                 []block
}

type block struct {
	Type, BlockID string
	Elements      []element
}

type element struct {
	Type     string
	ActionID string `json:"action_id"`
	Value    string
}

type modal struct {
	ID, Hash, Failed string
	Content          struct {
		Submit   *struct{}
		Blocks   []block
		Metadata string `json:"private_metadata"`
	}
}

type state struct {
	Connected bool
	Messages  []message
	View      *modal
}

// route is what a button or a modal of ours carries.
type route struct{ Request, Verb, Answer string }

func routeOf(text string) (r route) {
	_ = json.Unmarshal([]byte(text), &r) // what is no route has no verb
	return r
}

func buttons(blocks []block) (out []element) {
	for _, b := range blocks {
		for _, e := range b.Elements {
			if b.Type == "actions" && e.Type == "button" {
				out = append(out, e)
			}
		}
	}
	return out
}

// see is what user sees now.
func (p page) see(t *testing.T, user string) (s state) {
	t.Helper()
	resp, err := client().Get(p.url + "/page/state?user=" + url.QueryEscape(user))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if err := json.NewDecoder(resp.Body).Decode(&s); err != nil {
		t.Fatal(err)
	}
	return s
}

// send is what the page's script sends when somebody presses.
func (p page) send(t *testing.T, what string, act map[string]any) error {
	t.Helper()
	raw, err := json.Marshal(act)
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.url+"/page/"+what, bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Sandbox-Slack", "page")
	resp, err := client().Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(resp.Body, 1<<16))
	if err == nil && resp.StatusCode != http.StatusNoContent {
		err = fmt.Errorf("%s was answered %d: %s", what, resp.StatusCode, text)
	}
	return err
}

// asked finds the newest message in which user can press a button with this verb.
func (p page) asked(t *testing.T, user, verb string) (message, element, error) {
	t.Helper()
	all := p.see(t, user).Messages
	for i := len(all) - 1; i >= 0; i-- {
		for _, e := range buttons(all[i].Blocks) {
			if all[i].For == "" && routeOf(e.Value).Verb == verb {
				return all[i], e, nil
			}
		}
	}
	return message{}, element{}, fmt.Errorf("nothing in Slack offers %q to %s", verb, user)
}

// open waits for a sign-off card and returns its request.
func (p page) open(t *testing.T, not ...string) string {
	t.Helper()
	request := ""
	eventually(t, 20*time.Second, func() error {
		_, e, err := p.asked(t, ana, "review")
		if err != nil {
			return err
		}
		request = routeOf(e.Value).Request
		for _, old := range not {
			if request == old {
				return fmt.Errorf("the newest card is still that of %s", old)
			}
		}
		return nil
	})
	return request
}

// approve reviews a card to its last page and submits.
func (p page) approve(t *testing.T, user, request string) {
	t.Helper()
	m, e, err := p.asked(t, user, "review")
	if err != nil || routeOf(e.Value).Request != request {
		t.Fatalf("%s cannot review %s: %v", user, request, errors.Join(err))
	}
	if err := p.send(t, "press", map[string]any{"user": user, "channel": m.Channel, "ts": m.TS, "action": e.ActionID}); err != nil {
		t.Fatal(err)
	}
	for hash := ""; ; {
		var v *modal
		eventually(t, 10*time.Second, func() error {
			v = p.see(t, user).View
			if v == nil || v.Hash == hash || routeOf(v.Content.Metadata).Request != request {
				return fmt.Errorf("no modal for %s opened before %s", request, user)
			}
			return nil
		})
		if v.Content.Submit != nil {
			err = p.send(t, "submit", map[string]any{"user": user, "view": v.ID})
		} else if hash = v.Hash; len(buttons(v.Content.Blocks)) > 0 {
			all := buttons(v.Content.Blocks)
			err = p.send(t, "press-in-view", map[string]any{"user": user, "view": v.ID, "action": all[len(all)-1].ActionID})
		}
		if err != nil {
			t.Fatal(err)
		}
		if v.Content.Submit != nil {
			return
		}
	}
}

// answer waits for a question and presses the button of one choice.
func (p page) answer(t *testing.T, user, choice string) {
	t.Helper()
	eventually(t, 20*time.Second, func() error {
		for _, m := range p.see(t, user).Messages {
			for _, e := range buttons(m.Blocks) {
				if r := routeOf(e.Value); r.Verb == "answer" && r.Answer == choice {
					return p.send(t, "press", map[string]any{"user": user, "channel": m.Channel, "ts": m.TS, "action": e.ActionID})
				}
			}
		}
		return fmt.Errorf("no question offers %q", choice)
	})
}
