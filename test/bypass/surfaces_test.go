package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/sandbox"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
)

// seenWithin is the promise: what one person decides is seen everywhere after so long.
const seenWithin = 5 * time.Second

// copies are the messages in Slack that show the request, in the responders' channel and in the incident's own.
func (c *kase) copies() (out []sandbox.SlackMessage) {
	for _, m := range c.Slack.Messages() {
		var meta struct {
			Kind    string                   `json:"event_type"`
			Payload struct{ Request string } `json:"event_payload"`
		}
		if m.Thread == "" && json.Unmarshal(m.Metadata, &meta) == nil && meta.Kind == "tourniquet_signoff" && meta.Payload.Request == c.view.Request {
			out = append(out, m)
		}
	}
	return out
}

// surface is a place where the request is looked at; it says what it shows, and whether it lets anybody decide.
type surface struct {
	name string
	look func(context.Context) (shows string, open bool, err error)
}

func (c *kase) surfaces(by *http.Client) []surface {
	all := []surface{
		{"console", func(ctx context.Context) (string, bool, error) {
			req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url+"/signoffs/"+c.view.Request, nil)
			if err != nil {
				return "", false, err
			}
			page, err := send(by, req)
			if err == nil && page.status != http.StatusOK {
				err = fmt.Errorf("the page was answered %d", page.status)
			}
			return strings.ReplaceAll(page.body, `<span class="soft">/`, " of "), strings.Contains(page.body, `name="digest"`), err
		}},
		{"command line", func(ctx context.Context) (string, bool, error) {
			out, err := c.command(ctx, "lee", "signoff", "list", "--server", c.url)
			shown, lost := c.command(ctx, "lee", "signoff", "show", c.view.Request, "--server", c.url)
			return shown, strings.Contains(out, c.view.Request), errors.Join(err, lost)
		}},
	}
	for i, m := range c.copies() {
		all = append(all, surface{fmt.Sprintf("slack copy %d", i+1), func(context.Context) (string, bool, error) {
			for _, now := range c.copies() {
				if now.Channel == m.Channel {
					return words(now.Blocks), len(buttons(now.Blocks)) > 0, nil
				}
			}
			return "", false, errors.New("the card is gone")
		}})
	}
	return all
}

// shown waits for every surface to agree, and says how long the slowest of them took after start.
func shownEverywhere(ctx context.Context, all []surface, start time.Time, agrees func(shows string, open bool) bool) (time.Duration, error) {
	for _, s := range all {
		err := until(ctx, seenWithin-time.Since(start), func() error {
			shows, open, err := s.look(ctx)
			if err == nil && !agrees(shows, open) {
				err = fmt.Errorf("it lets somebody decide: %v, and says %q", open, brief(shows))
			}
			return err
		})
		if err != nil {
			return 0, fmt.Errorf("%s: %w", s.name, err)
		}
	}
	return time.Since(start), nil
}

// Whoever decides, and wherever, both copies in Slack, the console's page and the command line say so within five seconds; when the
// request is closed, none of them lets anybody decide any more.
func TestADecisionIsSeenOnEverySurfaceWithinFiveSeconds(t *testing.T) {
	t.Parallel()
	program, err := product()
	if err != nil {
		t.Fatal(err)
	}
	h, err := openHouse(t.Context(), program, wants{keys: 8, useWithin: time.Minute, rooms: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.close(); err != nil {
			t.Error(err)
		}
	})
	by := browser()
	if in, err := h.form(t.Context(), by, "/sign-in", url.Values{"token": {h.tokens["lee"]}, "next": {"/"}}); err != nil || in.status != http.StatusSeeOther {
		t.Fatalf("lee could not sign in: %d %v", in.status, err)
	}
	for _, from := range []struct {
		name   string
		decide func(context.Context, *kase, string) error
	}{
		{"command line", func(ctx context.Context, c *kase, person string) error {
			_, err := c.command(ctx, person, "signoff", "approve", c.view.Request, "--code", c.view.Code, "--server", c.url)
			return err
		}},
		{"console", func(ctx context.Context, c *kase, person string) error {
			_, err := c.browse(ctx, person, nil)
			return err
		}},
		{"slack", func(ctx context.Context, c *kase, person string) error {
			_, err := c.review(ctx, slackOf(person), signoff.Approve, "")
			return err
		}},
	} {
		c, err := h.begin(t.Context(), "end-key")
		if err != nil {
			t.Fatal(err)
		}
		if err := until(t.Context(), 10*time.Second, func() error {
			if n := len(c.copies()); n != 2 {
				return fmt.Errorf("there are %d copies of the card", n)
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		all := c.surfaces(by)
		for i, person := range deciders()[:2] {
			start := time.Now()
			if err := from.decide(t.Context(), c, person); err != nil {
				t.Fatalf("%s by %s: %v", person, from.name, err)
			}
			took, err := shownEverywhere(t.Context(), all, start, func(shows string, open bool) bool {
				if i == 0 {
					return open && strings.Contains(shows, "1 of 2")
				}
				return !open && strings.Contains(shows, "2 of 2")
			})
			if err != nil {
				t.Errorf("decision %d by %s: %v", i+1, from.name, err)
			}
			t.Logf("decision %d by %s is seen everywhere after %s", i+1, from.name, took.Round(time.Millisecond))
		}
		if err := c.once(t.Context()); err != nil {
			t.Errorf("%s: %v", from.name, err)
		}
	}
}
