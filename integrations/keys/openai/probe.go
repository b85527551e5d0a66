package openai

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/integrations/keys/rest"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

// Probe lists the models with the key itself, which costs nothing; an admin key lists admin keys. A spend limit does not show here.
func (p *Provider) Probe(ctx context.Context, key incident.Key, secret []byte) (keys.Probed, error) {
	path := "/models"
	if isAdmin(key) {
		path = "/organization/admin_api_keys?limit=1"
	}
	client := p.plain.As(map[string]string{"Authorization": "Bearer " + string(secret)})
	status, body, err := client.Answer(ctx, rest.Call{What: "trying the key", Method: http.MethodGet, Path: path})
	if err != nil {
		return rest.NoAnswer(ctx, err)
	}
	return judge(status, body), nil
}

func judge(status int, body []byte) keys.Probed {
	var list struct {
		Object string `json:"object"`
	}
	valid := json.Unmarshal(body, &list) == nil
	code, _ := words(body)
	switch {
	case status == http.StatusOK && valid && list.Object == "list":
		return keys.Probed{State: keys.ProbeWorking, Detail: "200"}
	case status == http.StatusUnauthorized && code == "invalid_api_key":
		return keys.Probed{State: keys.ProbeRefused, Detail: "401 invalid_api_key (deleted or never valid)"}
	case status == http.StatusUnauthorized && code == "account_deactivated":
		return keys.Probed{State: keys.ProbeRefused, Detail: "401 account_deactivated"}
	}
	return keys.Probed{State: keys.ProbeUnknown, Detail: rest.Scrub(fmt.Sprintf("%d %s", status, code), keyShape)}
}
