package activities

import (
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	ghtickets "github.com/tourniquet-ir/tourniquet/integrations/tickets/github"
	"github.com/tourniquet-ir/tourniquet/integrations/tickets/github/api"
	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

func TestClosingAnIncidentResolvesEveryAlertOfGitHubThatJoinedIt(t *testing.T) {
	t.Parallel()
	for resolution, want := range map[string]string{"": "revoked", "false_positive": "false_positive"} {
		b := build(t)
		hub := b.world.GitHub()
		hub.AddRepo("acme", "shop")
		srv := httptest.NewServer(hub)
		t.Cleanup(srv.Close)
		b.h.Resolver = ghtickets.NewAlerts(must(api.New(api.Options{BaseURL: srv.URL, Token: hub.Token()}))(t))
		var numbers []int
		var last database.Stored
		for i := range 2 {
			n := hub.AddAlert("acme", "shop", "google_api_key", b.stolen.Secret()+fmt.Sprint(i), "config/app.env")
			numbers = append(numbers, n)
			a := incident.Alert{Source: "github", Kind: incident.KindKeyLeaked, Title: "a key", Fingerprint: fmt.Sprint(i), ReceivedAt: time.Now(),
				Links: []string{fmt.Sprintf("%s/repos/acme/shop/secret-scanning/alerts/%d", srv.URL, n)}}
			last = must(b.h.DB.StoreAlert(t.Context(), incident.Finding{}, a, []database.Alias{{Provider: "gemini", Kind: database.AliasID, Value: "k1"}}))(t)
		}
		c := b.call("incident.close", "key", nil)
		c.Incident, c.With = last.IncidentID, map[string]any{"summary": "the key is dead"}
		if resolution != "" {
			c.With["resolution"] = resolution
		}
		b.done(t, c)
		for _, n := range numbers {
			if got := hub.Alert("acme", "shop", n); got.State != "resolved" || got.Resolution != want || got.Comment != "the key is dead" {
				t.Errorf("alert %d: %+v, want %s", n, got, want)
			}
		}
	}
}

func TestATicketIsClosedAlsoWhereTheSourceLetsNobodyResolveItsAlert(t *testing.T) {
	t.Parallel()
	b := build(t)
	hub := b.world.GitHub()
	hub.AddRepo("acme", "shop")
	srv := httptest.NewServer(hub)
	t.Cleanup(srv.Close)
	client := must(api.New(api.Options{BaseURL: srv.URL, Token: hub.Token()}))(t)
	b.h.Resolver, b.h.Tracker = ghtickets.NewAlerts(client), must(ghtickets.NewTracker(client, "acme", "shop"))(t)
	a := incident.Alert{Source: "github", Kind: incident.KindKeyLeaked, Title: "a key", Fingerprint: "1", ReceivedAt: time.Now(),
		Links: []string{srv.URL + "/repos/acme/shop/secret-scanning/alerts/404"}}
	stored := must(b.h.DB.StoreAlert(t.Context(), incident.Finding{}, a, []database.Alias{{Provider: "gemini", Kind: database.AliasID, Value: "k1"}}))(t)
	open := b.call("incident.open", "key", nil)
	open.Incident, open.With = stored.IncidentID, map[string]any{"title": "Stolen key"}
	b.done(t, open)
	c := b.call("incident.close", "key", nil)
	c.Incident, c.With = stored.IncidentID, map[string]any{"summary": "False alarm: ana answered that the use is legitimate", "resolution": "false_positive"}
	if _, err := b.do(t, c); err == nil || !strings.Contains(err.Error(), "404") {
		t.Errorf("that the alert could not be resolved is said by nobody: %v", err)
	}
	tickets := hub.Issues("acme", "shop")
	if len(tickets) != 1 || tickets[0].State != "closed" || !strings.Contains(strings.Join(tickets[0].Comments, "\n"), "ana answered that the use is legitimate") {
		t.Errorf("the ticket is %+v", tickets)
	}
}
