package gemini

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"google.golang.org/api/googleapi"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

// Probe lists one model with the key itself, which costs nothing. The value travels in a header, never in the URL.
// Only a refusal that is about the key counts as refused; everything else (limits, outages) is unknown.
func (p *Provider) Probe(ctx context.Context, _ incident.Key, secret []byte) (keys.Probed, error) {
	if c, private, is := parseCredentials(secret); is {
		return p.probeAccount(ctx, c, private)
	}
	url := strings.TrimSuffix(p.cfg.Endpoints.Generative, "/") + "/v1beta/models?pageSize=1"
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return keys.Probed{}, keys.Permanent(errors.New("the address of the Gemini API in the configuration is not a URL"))
	}
	request.Header.Set("X-Goog-Api-Key", string(secret))
	response, err := p.plain.Do(request)
	if err != nil {
		if ctx.Err() != nil {
			return keys.Probed{}, ctx.Err()
		}
		return keys.Probed{State: keys.ProbeUnknown, Detail: "no answer: " + reasonOfNetwork(err)}, nil
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return keys.Probed{State: keys.ProbeUnknown, Detail: fmt.Sprintf("%d, but the answer broke off", response.StatusCode)}, nil
	}
	return judge(response.StatusCode, body), nil
}

// meanings of the reasons with which Google refuses a key.
var meanings = map[string]string{
	"API_KEY_INVALID":               "deleted or never valid",
	"API_KEY_SERVICE_BLOCKED":       "blocked by the key's restriction, not deleted",
	"API_KEY_IP_ADDRESS_BLOCKED":    "blocked by the key's address restriction, not deleted",
	"API_KEY_HTTP_REFERRER_BLOCKED": "blocked for this caller by the key's referrer restriction; says nothing about others",
	"SERVICE_DISABLED":              "the Gemini API is disabled in the project, the key is not deleted",
	"CONSUMER_SUSPENDED":            "the project is suspended",
}

func judge(status int, body []byte) keys.Probed {
	if status == http.StatusOK {
		if !json.Valid(body) {
			return keys.Probed{State: keys.ProbeUnknown, Detail: "200, but the answer is not Google's"}
		}
		return keys.Probed{State: keys.ProbeWorking, Detail: "200"}
	}
	var answer struct {
		Error googleapi.Error `json:"error"`
	}
	_ = json.Unmarshal(body, &answer)
	reason := reasonOf(&answer.Error)
	if strings.Contains(answer.Error.Message, "reported as leaked") {
		return keys.Probed{State: keys.ProbeRefused, Detail: fmt.Sprintf("%d: Google blocked the key because it was reported as leaked", status)}
	}
	meaning, known := meanings[reason]
	detail := strings.TrimSpace(fmt.Sprintf("%d %s", status, reason))
	if known {
		detail += " (" + meaning + ")"
	}
	if known && reason != "API_KEY_HTTP_REFERRER_BLOCKED" && (status == http.StatusBadRequest || status == http.StatusForbidden) {
		return keys.Probed{State: keys.ProbeRefused, Detail: detail}
	}
	return keys.Probed{State: keys.ProbeUnknown, Detail: detail}
}

func reasonOfNetwork(err error) string {
	var network *url.Error
	if errors.As(err, &network) {
		err = network.Err
	}
	return scrubbed{err}.Error()
}
