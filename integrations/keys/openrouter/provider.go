package openrouter

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"time"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/integrations/keys/rest"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

const (
	providerName = "openrouter"
	who          = "OpenRouter"
)

var keyShape = regexp.MustCompile(`sk-or-[0-9A-Za-z_-]{8,}`)

// Config of one account.
type Config struct {
	Account       string       // name of the account in tourniquet.yaml
	ManagementKey string       // the responder's own
	BaseURL       string       // with /api/v1; empty means OpenRouter's own
	HTTPClient    *http.Client // its transport is used below ours; nil means the default
	Now           func() time.Time
}

// Provider speaks to OpenRouter for one account.
type Provider struct {
	cfg    Config
	router *rest.Client
}

// New checks the configuration and makes a provider; it makes no call.
func New(cfg Config) (*Provider, error) {
	if cfg.Account == "" {
		return nil, fmt.Errorf("an openrouter account needs a name")
	}
	if cfg.ManagementKey == "" {
		return nil, fmt.Errorf("the openrouter account %q has no management key: make one in OpenRouter's settings", cfg.Account)
	}
	if cfg.BaseURL == "" {
		cfg.BaseURL = "https://openrouter.ai/api/v1"
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Provider{cfg: cfg, router: rest.New(rest.Options{
		Who: who, BaseURL: cfg.BaseURL, Client: cfg.HTTPClient, KeyShape: keyShape, Words: words, RequestID: "x-request-id",
		Header: map[string]string{"Authorization": "Bearer " + cfg.ManagementKey},
	})}, nil
}

// words reads an error of OpenRouter, whose codes are integers.
func words(body []byte) (code, message string) {
	var said struct {
		Error struct {
			Code    int    `json:"code"`
			Message string `json:"message"`
		} `json:"error"`
	}
	_ = json.Unmarshal(body, &said) // what is not OpenRouter's error says nothing
	if said.Error.Code != 0 {
		code = strconv.Itoa(said.Error.Code)
	}
	return code, said.Error.Message
}

// Name of the provider.
func (p *Provider) Name() string { return providerName }

// Can declares what OpenRouter offers.
func (p *Provider) Can(op keys.Op) keys.Capability {
	switch op {
	case keys.OpContain:
		return keys.Capability{Available: true, Reach: keys.ReachKey, What: "Disable the key", Undo: "Enable the key"}
	case keys.OpRestore:
		return keys.Capability{Available: true, Reach: keys.ReachKey, What: "Enable the key; a deleted key is not brought back"}
	case keys.OpRevoke:
		return keys.Capability{Available: true, Reach: keys.ReachKey, What: "Delete the key for good"}
	case keys.OpCreate:
		return keys.Capability{Available: true, Reach: keys.ReachKey, What: "Create a key with the limits and the workspace of the old one", Undo: "Delete the unused key"}
	case keys.OpSessions:
		return keys.Capability{Reach: keys.ReachKey, Why: "nothing is derived from an OpenRouter key: there are no sessions to end"}
	}
	return keys.Capability{Why: fmt.Sprintf("the operation %q is not known", op)}
}

// Sessions says that there is nothing to end.
func (p *Provider) Sessions(context.Context, incident.Key) (keys.Receipt, error) {
	return keys.Receipt{Summary: "Nothing to end: no sessions are derived from an OpenRouter key", After: map[string]string{}}, nil
}

// Check reads one page of keys, which proves the management key.
func (p *Provider) Check(ctx context.Context) error {
	_, err := p.page(ctx, 0)
	return err
}

// Probe asks for the key's own record with the key itself, which costs nothing.
func (p *Provider) Probe(ctx context.Context, _ incident.Key, secret []byte) (keys.Probed, error) {
	client := p.router.As(map[string]string{"Authorization": "Bearer " + string(secret)})
	status, body, err := client.Answer(ctx, rest.Call{What: "trying the key", Method: http.MethodGet, Path: "/key"})
	if err != nil {
		return rest.NoAnswer(ctx, err)
	}
	var got struct {
		Data struct {
			Label string `json:"label"`
		} `json:"data"`
	}
	code, said := words(body)
	switch {
	case status == http.StatusOK && json.Unmarshal(body, &got) == nil && got.Data.Label != "" && code+said == "":
		return keys.Probed{State: keys.ProbeWorking, Detail: "200"}, nil
	case status == http.StatusUnauthorized && code == "401":
		return keys.Probed{State: keys.ProbeRefused, Detail: "401 (disabled, deleted or never valid)"}, nil
	}
	return keys.Probed{State: keys.ProbeUnknown, Detail: rest.Scrub(fmt.Sprintf("%d %s", status, code), keyShape)}, nil
}
