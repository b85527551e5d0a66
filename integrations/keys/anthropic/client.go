package anthropic

import (
	"context"
	"encoding/json"
	"errors"

	sdk "github.com/anthropics/anthropic-sdk-go"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/integrations/keys/rest"
)

// read makes a call that changes nothing through Anthropic's client.
func (p *Provider) read(ctx context.Context, what string, do func() error) error {
	return rest.Again(ctx, func() error { return explain(what, do()) })
}

// explain words an error of Anthropic's client, whose own text holds the request.
func explain(what string, err error) error {
	if err == nil || keys.IsPermanent(err) {
		return err
	}
	var api *sdk.Error
	if !errors.As(err, &api) {
		return rest.Unanswered(what, who, err, keyShape)
	}
	r := rest.Refusal{Status: api.StatusCode}
	r.Code, r.Message = words([]byte(api.RawJSON()))
	if api.Response != nil {
		r.Wait = api.Response.Header.Get("Retry-After")
	}
	return rest.Refused(what, who, r, keyShape)
}

func words(body []byte) (code, message string) {
	var said struct {
		Error struct {
			Type    string `json:"type"`
			Message string `json:"message"`
		} `json:"error"`
	}
	_ = json.Unmarshal(body, &said) // what is not Anthropic's error says nothing
	return said.Error.Type, said.Error.Message
}
