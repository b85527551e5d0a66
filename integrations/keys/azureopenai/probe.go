package azureopenai

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

// Probe lists the models with the key itself, which costs nothing.
func (p *Provider) Probe(ctx context.Context, _ incident.Key, secret []byte) (keys.Probed, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, p.cfg.Inference+"/openai/models?api-version=2024-10-21", nil)
	if err != nil {
		return keys.Probed{}, keys.Permanent(errors.New("the address of the resource in the configuration is not a URL"))
	}
	request.Header.Set("Api-Key", strings.TrimSpace(string(secret)))
	response, err := p.plain.Do(request)
	if err != nil {
		if ctx.Err() != nil {
			return keys.Probed{}, ctx.Err()
		}
		var network *url.Error
		if errors.As(err, &network) {
			err = network.Err
		}
		return keys.Probed{State: keys.ProbeUnknown, Detail: "no usable answer: " + scrubbed{err}.Error()}, nil
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body) // the transport has bounded it
	if err != nil {
		return keys.Probed{State: keys.ProbeUnknown, Detail: fmt.Sprintf("%d, but the answer broke off", response.StatusCode)}, nil
	}
	return judge(response.StatusCode, body), nil
}

func judge(status int, body []byte) keys.Probed {
	var answer struct {
		Error struct{ Code, Message string }
	}
	valid := json.Unmarshal(body, &answer) == nil
	switch {
	case status == http.StatusOK && valid:
		return keys.Probed{State: keys.ProbeWorking, Detail: "200"}
	case status == http.StatusUnauthorized && strings.Contains(answer.Error.Message, "invalid subscription key"):
		return keys.Probed{State: keys.ProbeRefused, Detail: "401 invalid subscription key (regenerated or never valid)"}
	case status == http.StatusForbidden && answer.Error.Code == "AuthenticationTypeDisabled":
		return keys.Probed{State: keys.ProbeRefused, Detail: "403 AuthenticationTypeDisabled (no key of this resource is taken; the key itself was not judged)"}
	}
	return keys.Probed{State: keys.ProbeUnknown, Detail: scrubbed{fmt.Errorf("%d %s", status, cut(answer.Error.Code))}.Error()}
}
