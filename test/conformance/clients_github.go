package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/tourniquet-ir/tourniquet/integrations/secretstores/github"
	tickets "github.com/tourniquet-ir/tourniquet/integrations/tickets/github"
	"github.com/tourniquet-ir/tourniquet/integrations/tickets/github/api"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/sandbox"
)

// driveGitHub uses GitHub as a store of secrets, as a tracker, and as the source of an alert.
func driveGitHub(ctx context.Context, t *tape) error {
	hub := world().GitHub()
	hub.AddRepo("acme", "shop", "deploy.yml")
	hub.AddRepo("acme", "incidents")
	hub.OnDeploy(func(sandbox.GitHubDeploy) error { return nil })
	url := t.serve("github", hub)
	c, err := api.New(api.Options{BaseURL: url, Token: hub.Token()})
	if err != nil {
		return err
	}
	return errors.Join(t.gitHubSecrets(ctx, hub, github.New(c)), t.gitHubTickets(ctx, c), t.gitHubAlerts(ctx, hub, c, url))
}

func (t *tape) gitHubSecrets(ctx context.Context, hub *sandbox.GitHub, s *github.Store) error {
	hub.SetOrgSecret("acme", "MODEL_KEY", oldValue, "selected", 1)
	repo := map[string]string{"owner": "acme", "repo": "shop", "name": "MODEL_KEY"}
	environment := map[string]string{"owner": "acme", "repo": "shop", "environment": "production", "name": "MODEL_KEY"}
	hub.SetSecret("acme", "shop", "", "MODEL_KEY", oldValue)
	hub.SetSecret("acme", "shop", "production", "MODEL_KEY", oldValue)
	var faults []error
	for kind, address := range map[string]map[string]string{
		github.KindActions: repo, github.KindDependabot: repo, github.KindCodespaces: repo,
		github.KindEnvironment: environment, github.KindOrganization: {"org": "acme", "name": "MODEL_KEY"},
	} {
		d := incident.Dependent{ID: kind, Kind: kind, Address: address}
		if kind == github.KindActions {
			d.Redeploy = map[string]string{"workflow": "deploy.yml", "ref": "main", "input.reason": "rotation"}
		}
		faults = append(faults, t.everyWrite(ctx, s, d))
	}
	return errors.Join(append(faults, t.do("inventory check", func() error { _, err := s.Secrets(ctx, "acme", "shop", "production"); return err }))...)
}

func (t *tape) gitHubTickets(ctx context.Context, c *api.Client) error {
	tracker, err := tickets.NewTracker(c, "acme", "incidents", "key-leak")
	if err != nil {
		return err
	}
	var id string
	open := func() error {
		made, err := tracker.Open(ctx, "inc-1", "A key leaked", "what is known")
		id = made.ID
		return err
	}
	return errors.Join(
		t.do("incident.open", open), t.do("incident.open (again)", open),
		t.do("incident.update", func() error { return tracker.Comment(ctx, id, "run-1/step-1", "contained") }),
		t.do("incident.close", func() error { return tracker.Close(ctx, id, "the key is gone") }),
	)
}

func (t *tape) gitHubAlerts(ctx context.Context, hub *sandbox.GitHub, c *api.Client, url string) error {
	alerts := tickets.NewAlerts(c)
	n := hub.AddAlert("acme", "shop", "google_api_key", oldValue, "config/prod.env")
	link := fmt.Sprintf("%s/repos/acme/shop/secret-scanning/alerts/%d", url, n)
	var faults []error
	for _, action := range []string{"created", "publicly_leaked", "reopened", "resolved", "validated", "location"} {
		faults = append(faults, t.delivered(ctx, hub, sandbox.GitHubHook{Owner: "acme", Repo: "shop", Number: n, Action: action, Base: url}))
	}
	return errors.Join(append(faults,
		t.do("key.identify", func() error { _, _, err := alerts.Fetch(ctx, link); return err }),
		t.do("alert explain", func() error { _, err := alerts.Locations(ctx, link); return err }),
		t.do("incident.close", func() error { return alerts.Resolve(ctx, link, "revoked", "revoked") }),
	)...)
}

// delivered takes a webhook as our door would and keeps it.
func (t *tape) delivered(ctx context.Context, hub *sandbox.GitHub, h sandbox.GitHubHook) error {
	door := http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		rw.WriteHeader(http.StatusAccepted)
	})
	quiet := &tape{client: t.client}
	defer quiet.end()
	quiet.action = "alert"
	status, _, err := hub.SendAlert(ctx, quiet.serve(webhookService, door)+"/"+strings.ReplaceAll(h.Action, "_", "-"), "made-up-secret", h)
	if err == nil && status != http.StatusAccepted {
		err = fmt.Errorf("a webhook was answered %d", status)
	}
	t.list = append(t.list, quiet.list...)
	return err
}

// hookName is what GitHub's description calls a delivery.
func hookName(x exchange) string {
	name := strings.ReplaceAll(x.request.Header.Get("X-GitHub-Event"), "_", "-") + "-" + strings.TrimPrefix(x.request.URL.Path, "/")
	return strings.ReplaceAll(name, "location-location", "location-created")
}

// webhookService is what is delivered to us.
const webhookService = "github webhooks"

// hooks are GitHub's descriptions of what it delivers.
type hooks struct{ *openAPI }

func (h hooks) check(x exchange) (verdict, bool) {
	if x.service != webhookService {
		return verdict{}, false
	}
	v, err := h.payload(hookName(x), x.body)
	if err != nil {
		v.fault("%s", err)
	}
	return v, true
}
