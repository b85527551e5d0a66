package openai

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"regexp"

	sdk "github.com/openai/openai-go/v3"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/integrations/keys/rest"
)

const who = "OpenAI"

var keyShape = regexp.MustCompile(`sk-[0-9A-Za-z_*-]{8,}`)

// read makes a call that changes nothing through OpenAI's client; it may be repeated twice when the fault looks transient.
func (p *Provider) read(ctx context.Context, what string, do func() error) error {
	return rest.Again(ctx, func() error { return explain(what, do()) })
}

// explain words an error of OpenAI's client, whose own text holds the request.
func explain(what string, err error) error {
	var known *rest.Fault
	if err == nil || keys.IsPermanent(err) || errors.As(err, &known) {
		return err
	}
	var api *sdk.Error
	if !errors.As(err, &api) {
		return rest.Unanswered(what, who, err, keyShape)
	}
	r := rest.Refusal{Status: api.StatusCode, Code: api.Code, Message: api.Message}
	if api.Response != nil {
		r.Wait = api.Response.Header.Get("Retry-After")
	}
	return rest.Refused(what, who, r, keyShape)
}

func words(body []byte) (code, message string) {
	var said struct {
		Error struct {
			Code    string `json:"code"`
			Message string `json:"message"`
		} `json:"error"`
	}
	_ = json.Unmarshal(body, &said) // what is not OpenAI's error says nothing
	return said.Error.Code, said.Error.Message
}

func status(err error) int {
	var api *sdk.Error
	if errors.As(err, &api) {
		return api.StatusCode
	}
	return rest.Status(err)
}

func missing(err error) bool { return status(err) == http.StatusNotFound }

// errShape is an answer that is no answer: an empty field would be taken for a state.
var errShape = errors.New("the answer does not hold what was asked for")
