package faults

import (
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tourniquet-ir/tourniquet/integrations/chat"
	"github.com/tourniquet-ir/tourniquet/integrations/chat/slack"
	"github.com/tourniquet-ir/tourniquet/integrations/faulttest"
	"github.com/tourniquet-ir/tourniquet/integrations/paging/pagerduty"
	"github.com/tourniquet-ir/tourniquet/integrations/secretstores/storetest"
	tickets "github.com/tourniquet-ir/tourniquet/integrations/tickets/github"
	"github.com/tourniquet-ir/tourniquet/integrations/tickets/github/api"
	"github.com/tourniquet-ir/tourniquet/integrations/webhooks"
	"github.com/tourniquet-ir/tourniquet/integrations/webhooks/standard"
	"github.com/tourniquet-ir/tourniquet/internal/outbound"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
)

// people are the clients through which somebody is told something.
func people(t *testing.T) []faulttest.Client {
	t.Helper()
	return []faulttest.Client{ticketClient(t), slackClient(t), pagerClient(), webhookClient()}
}

type calls = map[string]func(context.Context) error

func ticketClient(t *testing.T) faulttest.Client {
	token := storetest.Value(t)
	return faulttest.Client{
		Name: "github tickets", Never: []string{token},
		Calls: func(t *testing.T, url string) map[string]func(context.Context) error {
			c, err := api.New(api.Options{BaseURL: url, Token: token})
			if err != nil {
				t.Fatal(err)
			}
			tracker, err := tickets.NewTracker(c, "acme", "incidents")
			if err != nil {
				t.Fatal(err)
			}
			alerts, link := tickets.NewAlerts(c), url+"/repos/acme/shop/secret-scanning/alerts/1"
			return calls{
				"open": func(ctx context.Context) error {
					_, err := tracker.Open(ctx, "inc-1", "A key leaked", "text")
					return err
				},
				"comment":   func(ctx context.Context) error { return tracker.Comment(ctx, "1", "run-1/step", "text") },
				"close":     func(ctx context.Context) error { return tracker.Close(ctx, "1", "done") },
				"fetch":     func(ctx context.Context) error { _, _, err := alerts.Fetch(ctx, link); return err },
				"locations": func(ctx context.Context) error { _, err := alerts.Locations(ctx, link); return err },
				"resolve":   func(ctx context.Context) error { return alerts.Resolve(ctx, link, "revoked", "revoked") },
			}
		},
	}
}

// slackClient: Slack refuses in answers of 200, so that a status is never about the call: only its own word is.
func slackClient(t *testing.T) faulttest.Client {
	token, app := "xoxb-"+storetest.Value(t), "xapp-"+storetest.Value(t)
	view := signoff.View{Request: "sr_1", Title: "Revoke a key", State: signoff.StateOpen, Seats: 2, Envelope: signoff.Envelope{Incident: "inc-1", Run: "run-1"}}
	at := chat.Delivery{Channel: "C1", TS: "1.000001"}
	q := chat.Choice{Request: "q_1", Run: "run-1", Title: "Abuse?", Prompt: "Is this use yours?", Choices: []string{"abuse", "legitimate"}}
	return faulttest.Client{
		Name: "slack", Never: []string{token, app}, Either: []string{"*/400", "*/401", "*/403", "*/404", "*/422"},
		Body: func(int, string) string { return `{"ok":false,"error":"fatal_error"}` },
		Lasting: func(err error) bool {
			var refused *slack.Refused
			return errors.As(err, &refused) && refused.Code != "fatal_error"
		},
		Calls: func(_ *testing.T, url string) map[string]func(context.Context) error {
			c := slack.New(slack.Config{Token: token, AppToken: app, BaseURL: url + "/api/", Channel: "C1", Teams: []string{"T1"}, Apps: []string{"A1"}, Rooms: true, HTTPClient: &http.Client{Timeout: 10 * time.Second}})
			return calls{
				"tell": func(ctx context.Context) error { _, err := c.Tell(ctx, chat.Note{Title: "hello"}); return err },
				"tell one person": func(ctx context.Context) error {
					_, err := c.Tell(ctx, chat.Note{Person: "U1", Title: "hello"})
					return err
				},
				"ask":             func(ctx context.Context) error { _, err := c.Ask(ctx, view, ""); return err },
				"settle":          func(ctx context.Context) error { _, err := c.Settle(ctx, at, view); return err },
				"history":         func(ctx context.Context) error { return c.History(ctx, at, view) },
				"question":        func(ctx context.Context) error { _, err := c.Question(ctx, q); return err },
				"settle question": func(ctx context.Context) error { return c.SettleQuestion(ctx, at, q, "abuse") },
				"room":            func(ctx context.Context) error { _, err := c.Room(ctx, "inc-1", "A key leaked", nil); return err },
				"members":         func(ctx context.Context) error { _, err := c.Members(ctx, "S1"); return err },
				"eligible":        func(ctx context.Context) error { _, err := c.Eligible(ctx, "U1"); return err },
				"check":           c.Check,
			}
		},
	}
}

func pagerClient() faulttest.Client {
	key := strings.Repeat("r0", 16)
	return faulttest.Client{
		Name: "pagerduty", Never: []string{key}, Mute: true,
		Body: func(_ int, text string) string {
			return said(map[string]any{"status": "invalid event", "message": text, "errors": []string{text, key}})
		},
		Calls: func(t *testing.T, url string) map[string]func(context.Context) error {
			p, err := pagerduty.New(pagerduty.Options{RoutingKey: key, Endpoint: url})
			if err != nil {
				t.Fatal(err)
			}
			return calls{
				"page":        func(ctx context.Context) error { return p.Page(ctx, "run-1", "A key is being spent", []string{"ana"}) },
				"acknowledge": func(ctx context.Context) error { return p.Acknowledge(ctx, "run-1") },
				"resolve":     func(ctx context.Context) error { return p.Resolve(ctx, "run-1") },
			}
		},
	}
}

// webhookClient: a receiver's words do not count, only its status; a 200 of any form is a receipt.
func webhookClient() faulttest.Client {
	secret := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("made", 8)))
	return faulttest.Client{
		Name: "webhook", Never: []string{secret}, Mute: true,
		Fine: []string{"send/a proxy's page", "send/another type", "send/200 with an error inside", "send/cut body", "send/" + faulttest.Endless},
		Calls: func(t *testing.T, url string) map[string]func(context.Context) error {
			guard, err := outbound.NewGuard(nil, []string{"127.0.0.1"})
			if err != nil {
				t.Fatal(err)
			}
			s, err := standard.New(guard, []standard.Receiver{{Name: "soar", URL: url + "/hook", Secrets: []string{"whsec_" + secret}}}, time.Now)
			if err != nil {
				t.Fatal(err)
			}
			return calls{"send": func(ctx context.Context) error {
				return s.Send(ctx, "soar", webhooks.Event{ID: "msg_1", Type: "incident.contained", At: time.Now(), Data: map[string]any{"run": "run-1"}})
			}}
		},
	}
}
