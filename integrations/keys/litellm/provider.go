package litellm

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/integrations/keys/rest"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

const (
	providerName = "litellm"
	who          = "LiteLLM"
)

var keyShape = regexp.MustCompile(`sk-[0-9A-Za-z_-]{8,}`)

// Config of one proxy.
type Config struct {
	Account    string       // name of the account in tourniquet.yaml
	MasterKey  string       // or another admin key
	BaseURL    string       // of the proxy
	HTTPClient *http.Client // its transport is used below ours; nil means the default
}

// Provider speaks to one proxy.
type Provider struct {
	cfg   Config
	proxy *rest.Client
}

// New checks the configuration and makes a provider; it makes no call.
func New(cfg Config) (*Provider, error) {
	switch {
	case cfg.Account == "":
		return nil, fmt.Errorf("a litellm account needs a name")
	case cfg.BaseURL == "":
		return nil, fmt.Errorf("the litellm account %q has no base_url: give the address of the proxy", cfg.Account)
	case cfg.MasterKey == "":
		return nil, fmt.Errorf("the litellm account %q has no master key", cfg.Account)
	}
	return &Provider{cfg: cfg, proxy: rest.New(rest.Options{
		Who: who, BaseURL: cfg.BaseURL, Client: cfg.HTTPClient, KeyShape: keyShape, Words: words, RequestID: "x-litellm-call-id",
		Header: map[string]string{"Authorization": "Bearer " + cfg.MasterKey, "litellm-changed-by": "tourniquet"},
	})}, nil
}

// words reads both ways in which the proxy says no. Its codes are strings.
func words(body []byte) (code, message string) {
	var said struct {
		Error struct {
			Message string `json:"message"`
			Type    string `json:"type"`
		} `json:"error"`
		Detail json.RawMessage `json:"detail"`
	}
	_ = json.Unmarshal(body, &said) // what is not the proxy's error says nothing
	if said.Error.Message == "" && len(said.Detail) > 0 && string(said.Detail) != "null" {
		return "", string(said.Detail)
	}
	return said.Error.Type, said.Error.Message
}

// Name of the provider.
func (p *Provider) Name() string { return providerName }

// Can declares what a proxy offers.
func (p *Provider) Can(op keys.Op) keys.Capability {
	switch op {
	case keys.OpContain:
		return keys.Capability{Available: true, Reach: keys.ReachKey, What: "Block the key at the proxy", Undo: "Unblock the key"}
	case keys.OpRestore:
		return keys.Capability{Available: true, Reach: keys.ReachKey, What: "Unblock the key; a deleted key is not brought back"}
	case keys.OpRevoke:
		return keys.Capability{Available: true, Reach: keys.ReachKey, What: "Delete the key for good"}
	case keys.OpCreate:
		return keys.Capability{Available: true, Reach: keys.ReachKey, What: "Generate a key with the models, team and limits of the old one", Undo: "Delete the unused key"}
	case keys.OpSessions:
		return keys.Capability{Reach: keys.ReachKey, Why: "nothing is derived from a proxy's key: there are no sessions to end"}
	}
	return keys.Capability{Why: fmt.Sprintf("the operation %q is not known", op)}
}

// Sessions says that there is nothing to end.
func (p *Provider) Sessions(context.Context, incident.Key) (keys.Receipt, error) {
	return keys.Receipt{Summary: "Nothing to end: no sessions are derived from a proxy's key", After: map[string]string{}}, nil
}

// Check lists one key, which proves the master key and that the proxy has a database.
func (p *Provider) Check(ctx context.Context) error {
	var page list
	query := url.Values{"return_full_object": {"true"}, "size": {"1"}} // without it, keys are listed as their hashes alone
	return p.proxy.Read(ctx, rest.Call{What: "listing the proxy's keys", Method: http.MethodGet, Path: "/key/list", Query: query, Out: &page})
}

// Probe lists the models with the key itself, which costs nothing. A blocked key is refused like one that is gone.
func (p *Provider) Probe(ctx context.Context, _ incident.Key, secret []byte) (keys.Probed, error) {
	client := p.proxy.As(map[string]string{"Authorization": "Bearer " + string(secret)})
	status, body, err := client.Answer(ctx, rest.Call{What: "trying the key", Method: http.MethodGet, Path: "/v1/models"})
	if err != nil {
		return rest.NoAnswer(ctx, err)
	}
	var models struct {
		Data json.RawMessage `json:"data"`
	}
	kind, said := words(body)
	switch {
	case status == http.StatusOK && json.Unmarshal(body, &models) == nil && len(models.Data) > 0 && kind+said == "":
		return keys.Probed{State: keys.ProbeWorking, Detail: "200"}, nil
	case status == http.StatusUnauthorized && (kind == "auth_error" || kind == "token_not_found_in_db" || kind == "key_blocked"):
		return keys.Probed{State: keys.ProbeRefused, Detail: "401 " + kind + " (blocked, deleted or never valid)"}, nil
	}
	return keys.Probed{State: keys.ProbeUnknown, Detail: rest.Scrub(fmt.Sprintf("%d %s", status, kind), keyShape)}, nil
}
