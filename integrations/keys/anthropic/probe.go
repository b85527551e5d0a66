package anthropic

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/integrations/keys/rest"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

// Probe lists one model with the key itself, which costs nothing. Anthropic answers 401 authentication_error for keys that are
// inactive, archived, expired or unknown; it does not tell them apart.
func (p *Provider) Probe(ctx context.Context, _ incident.Key, secret []byte) (keys.Probed, error) {
	client := p.plain.As(map[string]string{"X-Api-Key": string(secret), "anthropic-version": apiVersion})
	status, body, err := client.Answer(ctx, rest.Call{What: "trying the key", Method: http.MethodGet, Path: "/v1/models", Query: map[string][]string{"limit": {"1"}}})
	if err != nil {
		return rest.NoAnswer(ctx, err)
	}
	code, said := words(body)
	switch {
	case status == http.StatusOK && code+said == "" && json.Valid(body):
		return keys.Probed{State: keys.ProbeWorking, Detail: "200"}, nil
	case status == http.StatusUnauthorized && code == "authentication_error":
		return keys.Probed{State: keys.ProbeRefused, Detail: "401 authentication_error (inactive, archived, expired or never valid)"}, nil
	}
	return keys.Probed{State: keys.ProbeUnknown, Detail: rest.Scrub(fmt.Sprintf("%d %s", status, code), keyShape)}, nil
}
