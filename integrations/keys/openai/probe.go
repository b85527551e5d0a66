package openai

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

// Probe lists the models with the key itself, which costs nothing. A spend limit does not show here.
func (p *Provider) Probe(ctx context.Context, _ incident.Key, secret []byte) (keys.Probed, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, p.cfg.BaseURL+"models", nil)
	if err != nil {
		return keys.Probed{}, keys.Permanent(errors.New("the address of OpenAI in the configuration is not a URL"))
	}
	request.Header.Set("Authorization", "Bearer "+string(secret))
	response, err := p.plain.Do(request)
	if err != nil {
		if ctx.Err() != nil {
			return keys.Probed{}, ctx.Err()
		}
		var network *url.Error
		if errors.As(err, &network) {
			err = network.Err
		}
		return keys.Probed{State: keys.ProbeUnknown, Detail: "no answer: " + scrubbed{err}.Error()}, nil
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return keys.Probed{State: keys.ProbeUnknown, Detail: fmt.Sprintf("%d, but the answer broke off", response.StatusCode)}, nil
	}
	return judge(response.StatusCode, body), nil
}

func judge(status int, body []byte) keys.Probed {
	var answer struct {
		Error struct {
			Code string `json:"code"`
		} `json:"error"`
	}
	valid := json.Unmarshal(body, &answer) == nil
	switch {
	case status == http.StatusOK && valid:
		return keys.Probed{State: keys.ProbeWorking, Detail: "200"}
	case status == http.StatusUnauthorized && answer.Error.Code == "invalid_api_key":
		return keys.Probed{State: keys.ProbeRefused, Detail: "401 invalid_api_key (deleted or never valid)"}
	case status == http.StatusUnauthorized && answer.Error.Code == "account_deactivated":
		return keys.Probed{State: keys.ProbeRefused, Detail: "401 account_deactivated"}
	}
	return keys.Probed{State: keys.ProbeUnknown, Detail: scrubbed{fmt.Errorf("%d %s", status, answer.Error.Code)}.Error()}
}
