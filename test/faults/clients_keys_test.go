package faults

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"golang.org/x/oauth2"

	"github.com/tourniquet-ir/tourniquet/integrations/faulttest"
	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/integrations/keys/anthropic"
	"github.com/tourniquet-ir/tourniquet/integrations/keys/azureopenai"
	"github.com/tourniquet-ir/tourniquet/integrations/keys/bedrock"
	"github.com/tourniquet-ir/tourniquet/integrations/keys/gemini"
	"github.com/tourniquet-ir/tourniquet/integrations/keys/litellm"
	"github.com/tourniquet-ir/tourniquet/integrations/keys/openai"
	"github.com/tourniquet-ir/tourniquet/integrations/keys/openrouter"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/sandbox"
)

func providers() []faulttest.Client {
	out := []faulttest.Client{
		faulttest.Provider("gemini", geminiSubject()), faulttest.Provider("anthropic", anthropicSubject()), faulttest.Provider("azure_openai", azureSubject()),
		faulttest.Provider("litellm", litellmSubject()), faulttest.Provider("openrouter", openrouterSubject()),
		faulttest.Provider("bedrock", bedrockSubject("AKIAQQQQQQQQQQQQQQQQ", `{"op":"contain","status":"Active"}`)),
		faulttest.Provider("bedrock, a Bedrock key", bedrockSubject("ACCAQQQQQQQQQQQQQQQQ", `{"op":"contain","status":"Active"}`)),
	}
	return append(out, openaiClients()...)
}

// said is a refusal in JSON.
func said(body map[string]any) string {
	text, _ := json.Marshal(body) // maps of strings and numbers always encode
	return string(text)
}

func geminiSubject() faulttest.Subject {
	status := map[int]string{400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 404: "NOT_FOUND", 409: "ABORTED", 429: "RESOURCE_EXHAUSTED", 500: "INTERNAL", 503: "UNAVAILABLE"}
	return faulttest.Subject{
		Open: func(url string) (keys.Provider, error) {
			return gemini.New(gemini.Config{
				Account: "main", Project: "acme-prod", TokenSource: oauth2.StaticTokenSource(&oauth2.Token{AccessToken: "made-up-token-of-the-responder"}),
				Endpoints: gemini.Endpoints{APIKeys: url, ServiceUsage: url, Monitoring: url, Logging: url, Generative: url, IAM: url, Token: url + "/token"}, OperationTimeout: time.Second,
			})
		},
		Key:  incident.Key{Provider: "gemini", Account: "main", Project: "acme-prod", ID: "0a1b2c3d-made-up", UID: "uid-made-up", Name: "shop"},
		Undo: `{"restrictions":null}`, Stopped: `{"state":"ENABLED"}`,
		Secret: "AIza" + strings.Repeat("made", 8) + "upA",
		Body: func(code int, text string) string {
			return said(map[string]any{"error": map[string]any{"code": code, "message": text, "status": status[code]}})
		},
	}
}

func anthropicSubject() faulttest.Subject {
	kinds := map[int]string{400: "invalid_request_error", 401: "authentication_error", 403: "permission_error", 404: "not_found_error", 429: "rate_limit_error"}
	return faulttest.Subject{
		Open: func(url string) (keys.Provider, error) {
			return anthropic.New(anthropic.Config{Account: "main", AdminKey: "sk-ant-" + "admin01-made-up-for-this-test", BaseURL: url})
		},
		Key:    incident.Key{Provider: "anthropic", Account: "main", ID: "apikey_1", Hint: "sk-ant…xyAA"},
		Undo:   `{"status":"active"}`,
		Secret: "sk-ant-" + "api03-" + strings.Repeat("m", 90) + "xyAA",
		Body: func(status int, text string) string {
			return said(map[string]any{"type": "error", "error": map[string]any{"type": kinds[status], "message": text}})
		},
	}
}

// fixed is a token that never ends.
type fixed string

func (f fixed) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{Token: string(f), ExpiresOn: time.Now().Add(time.Hour)}, nil
}

func azureSubject() faulttest.Subject {
	return faulttest.Subject{
		Open: func(url string) (keys.Provider, error) {
			return azureopenai.New(azureopenai.Config{
				Account: "main", Subscription: sandbox.AzureSubscription, ResourceGroup: sandbox.AzureGroup, Resource: sandbox.AzureResource,
				Credential: fixed("made-up-token-of-the-responder"), ARM: url, Inference: url,
			})
		},
		Key:    incident.Key{Provider: "azure_openai", Account: "main", ID: sandbox.AzureResource + "/key1", UID: "0011223344556677"},
		Undo:   `{"local_auth":true}`,
		Secret: "abcdeFGHIJabcdeFGHIJabcdeFGHIJ00",
		Fine:   []string{"orphans/*"}, // nothing is made there, so nobody is asked
	}
}

func litellmSubject() faulttest.Subject {
	return faulttest.Subject{
		Open: func(url string) (keys.Provider, error) {
			return litellm.New(litellm.Config{Account: "main", MasterKey: "sk-" + "master-made-up-for-this-test", BaseURL: url})
		},
		Key:    incident.Key{Provider: "litellm", Account: "main", ID: strings.Repeat("ab", 32), Name: "shop"},
		Undo:   `{"blocked":false}`,
		Secret: "sk-" + strings.Repeat("made", 10),
		Body: func(status int, text string) string {
			return said(map[string]any{"error": map[string]any{"message": text, "type": "auth_error", "param": "None", "code": fmt.Sprint(status)}})
		},
	}
}

func openrouterSubject() faulttest.Subject {
	return faulttest.Subject{
		Open: func(url string) (keys.Provider, error) {
			return openrouter.New(openrouter.Config{Account: "main", ManagementKey: "sk-or-v1-" + "management-made-up", BaseURL: url + "/api/v1"})
		},
		Key:    incident.Key{Provider: "openrouter", Account: "main", ID: strings.Repeat("ab", 32), Name: "shop"},
		Undo:   `{"disabled":false}`,
		Secret: "sk-or-v1-" + strings.Repeat("made", 16),
		Body: func(status int, text string) string {
			return said(map[string]any{"error": map[string]any{"code": status, "message": text}})
		},
	}
}

func bedrockSubject(id, undo string) faulttest.Subject {
	codes := map[int]string{
		400: "InvalidInput", 403: "AccessDenied", 404: "NoSuchEntity", 409: "ConcurrentModification", 429: "Throttling", 500: "ServiceFailure", 503: "ServiceUnavailable",
	}
	return faulttest.Subject{
		Open: func(url string) (keys.Provider, error) {
			return bedrock.New(bedrock.Config{
				Account: "main", AccountID: sandbox.AWSAccountID, Regions: []string{"us-east-1"}, Pace: time.Millisecond, // nothing here counts questions
				Credentials: credentials.NewStaticCredentialsProvider("AKIARESPONDERRESPOND", strings.Repeat("responder0", 4), ""),
				Endpoints:   bedrock.Endpoints{IAM: url, STS: url, CloudTrail: url, Bedrock: url, CostExplorer: url},
			})
		},
		Key:    incident.Key{Provider: "bedrock", Account: "main", Project: sandbox.AWSAccountID, ID: id, UID: "user/shop", Name: "shop"},
		Undo:   undo,
		Secret: `{"AccessKeyId":"AKIAQQQQQQQQQQQQQQQQ","SecretAccessKey":"` + strings.Repeat("abcdeFGHIJ", 4) + `"}`,
		Type:   "text/xml",
		Body: func(status int, text string) string {
			return fmt.Sprintf(`<ErrorResponse><Error><Type>Sender</Type><Code>%s</Code><Message>%s</Message></Error><RequestId>1</RequestId></ErrorResponse>`, codes[status], text)
		},
		Fine: []string{"contain/404", "orphans/404"},
	}
}

func openaiClients() []faulttest.Client {
	subject := func(measure, undo string, key incident.Key) faulttest.Subject {
		return faulttest.Subject{
			Open: func(url string) (keys.Provider, error) {
				return openai.New(openai.Config{Account: "main", Project: "proj_shop", BaseURL: url + "/v1", AdminKey: "sk-admin-" + "made-up-for-this-test", Measure: measure})
			},
			Key: key, Undo: undo, Secret: "sk-proj-" + strings.Repeat("made", 20) + "xyAA",
			Fine: []string{"restore/404"},
			Body: func(_ int, text string) string {
				return said(map[string]any{"error": map[string]any{"message": text, "type": "invalid_request_error", "param": nil, "code": nil}})
			},
		}
	}
	key := incident.Key{Provider: "openai", Account: "main", Project: "proj_shop", ID: "key_1", Name: "shop"}
	out := []faulttest.Client{faulttest.Provider("openai", subject(openai.MeasureSpend, `{"threshold_cents":0}`, key))}
	for _, m := range [][2]string{
		{openai.MeasureModels, `{"measure":"model_deny_list","models":{"mode":""}}`}, {openai.MeasureRates, `{"measure":"rate_limits","rates":{"rl-gpt-5":7}}`},
	} {
		s := subject(m[0], m[1], key)
		s.Only = []string{"state", "contain", "restore"}
		out = append(out, faulttest.Provider("openai, by "+m[0], s))
	}
	admin := subject(openai.MeasureSpend, `{}`, incident.Key{Provider: "openai", Account: "main", ID: "key_1", OwnerKind: "admin_key"})
	admin.Only = []string{"identify by value", "state of revoke", "revoke", "create", "orphans", "probe"}
	return append(out, faulttest.Provider("openai, an admin key", admin))
}
