package activities

import (
	"fmt"
	"net/http/httptest"
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
