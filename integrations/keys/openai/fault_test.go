package openai_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/tourniquet-ir/tourniquet/integrations/faulttest"
	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/integrations/keys/openai"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

func subject(measure, undo string, key incident.Key) faulttest.Subject {
	return faulttest.Subject{
		Open: func(url string) (keys.Provider, error) {
			return openai.New(openai.Config{Account: "main", Project: project, BaseURL: url + "/v1", AdminKey: "sk-admin-" + "made-up-for-this-test", Measure: measure})
		},
		Key: key, Undo: undo, Secret: "sk-proj-" + strings.Repeat("made", 20) + "xyAA",
		Fine: []string{"restore/404"},
		Body: func(status int, text string) string {
			body, _ := json.Marshal(map[string]any{"error": map[string]any{"message": text, "type": "invalid_request_error", "param": nil, "code": nil}})
			return string(body)
		},
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	key := incident.Key{Provider: "openai", Account: "main", Project: project, ID: "key_1", Name: "shop"}
	faulttest.Run(t, faulttest.Provider("openai", subject(openai.MeasureSpend, `{"threshold_cents":0}`, key)))
	for measure, undo := range map[string]string{
		openai.MeasureModels: `{"measure":"model_deny_list","models":{"mode":""}}`, openai.MeasureRates: `{"measure":"rate_limits","rates":{"rl-gpt-5":7}}`,
	} {
		s := subject(measure, undo, key)
		s.Only = []string{"state", "contain", "restore"}
		faulttest.Run(t, faulttest.Provider("openai "+measure, s))
	}
	admin := subject(openai.MeasureSpend, `{}`, incident.Key{Provider: "openai", Account: "main", ID: "key_1", OwnerKind: "admin_key"})
	admin.Only = []string{"identify by value", "state of revoke", "revoke", "create", "orphans", "probe"}
	faulttest.Run(t, faulttest.Provider("openai admin key", admin))
}
