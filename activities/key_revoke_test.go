package activities

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/integrations/keys/anthropic"
	"github.com/tourniquet-ir/tourniquet/integrations/keys/azureopenai"
	"github.com/tourniquet-ir/tourniquet/integrations/keys/bedrock"
	"github.com/tourniquet-ir/tourniquet/integrations/keys/litellm"
	"github.com/tourniquet-ir/tourniquet/integrations/keys/openai"
	"github.com/tourniquet-ir/tourniquet/integrations/keys/openrouter"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/sandbox"
	"github.com/tourniquet-ir/tourniquet/internal/wire"
)

// azureToken is a token that never ends.
type azureToken string

func (t azureToken) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{Token: string(t), ExpiresOn: time.Now().Add(time.Hour)}, nil
}

// issuers are all providers in front of their worlds, each with a key to steal.
func issuers() map[string]func(t *testing.T, w *sandbox.World) (keys.Provider, sandbox.Key) {
	serve := func(t *testing.T, h http.Handler) string {
		t.Helper()
		s := httptest.NewServer(h)
		t.Cleanup(s.Close)
		return s.URL
	}
	aws := func(t *testing.T, w *sandbox.World) keys.Provider {
		t.Helper()
		id, secret := w.AWSResponder()
		url := serve(t, w.AWS())
		return must(bedrock.New(bedrock.Config{Account: "main", AccountID: sandbox.AWSAccountID, Regions: []string{"us-east-1"},
			Credentials: credentials.NewStaticCredentialsProvider(id, secret, ""),
			Endpoints:   bedrock.Endpoints{IAM: url, STS: url, CloudTrail: url, Bedrock: url, CostExplorer: url}}))(t)
	}
	return map[string]func(t *testing.T, w *sandbox.World) (keys.Provider, sandbox.Key){
		"gemini": func(t *testing.T, w *sandbox.World) (keys.Provider, sandbox.Key) {
			return account(t, serve(t, w.Google()), w.AdminToken()), w.NewGeminiKey(sandbox.GeminiKey{Project: "acme-prod", Name: "shop"})
		},
		"openai": func(t *testing.T, w *sandbox.World) (keys.Provider, sandbox.Key) {
			return must(openai.New(openai.Config{Account: "main", Project: "proj_shop", BaseURL: serve(t, w.OpenAI()) + "/v1", AdminKey: w.AdminToken()}))(t),
				w.NewOpenAIKey(sandbox.OpenAIKey{Project: "proj_shop", Name: "shop"})
		},
		"anthropic": func(t *testing.T, w *sandbox.World) (keys.Provider, sandbox.Key) {
			return must(anthropic.New(anthropic.Config{Account: "main", AdminKey: w.AdminToken(), BaseURL: serve(t, w.Anthropic())}))(t),
				w.NewAnthropicKey(sandbox.AnthropicKey{Name: "shop"})
		},
		"bedrock access key": func(t *testing.T, w *sandbox.World) (keys.Provider, sandbox.Key) {
			return aws(t, w), w.NewAWSAccessKey("shop")
		},
		"bedrock api key": func(t *testing.T, w *sandbox.World) (keys.Provider, sandbox.Key) {
			return aws(t, w), w.NewAWSAPIKey("BedrockAPIKey-8f2a")
		},
		"azure_openai": func(t *testing.T, w *sandbox.World) (keys.Provider, sandbox.Key) {
			url := serve(t, w.Azure())
			return must(azureopenai.New(azureopenai.Config{Account: "main", Subscription: sandbox.AzureSubscription, ResourceGroup: sandbox.AzureGroup, Resource: sandbox.AzureResource,
				Credential: azureToken(w.AdminToken()), ARM: url, Inference: url}))(t), w.NewAzureKey()
		},
		"litellm": func(t *testing.T, w *sandbox.World) (keys.Provider, sandbox.Key) {
			return must(litellm.New(litellm.Config{Account: "main", MasterKey: w.AdminToken(), BaseURL: serve(t, w.LiteLLM())}))(t), w.NewLiteLLMKey(sandbox.LiteLLMKey{Alias: "shop"})
		},
		"openrouter": func(t *testing.T, w *sandbox.World) (keys.Provider, sandbox.Key) {
			return must(openrouter.New(openrouter.Config{Account: "main", ManagementKey: w.AdminToken(), BaseURL: serve(t, w.OpenRouter()) + "/api/v1"}))(t), w.NewOpenRouterKey(sandbox.OpenRouterKey{Name: "shop"})
		},
	}
}

// stealing is a bench whose run is about a key of one of them.
func stealing(t *testing.T, of func(*testing.T, *sandbox.World) (keys.Provider, sandbox.Key)) (*bench, keys.Provider) {
	t.Helper()
	b := build(t)
	w := sandbox.NewWorld(sandbox.Options{RevocationDelay: -1, AWSDelay: -1, AzureDelay: -1})
	p, stolen := of(t, w)
	b.world, b.stolen, b.h.Providers = w, stolen, []Account{{"main", p}}
	b.key = must(p.Identify(t.Context(), incident.Clue{ID: stolen.ID}, []byte(stolen.Secret())))(t)[0]
	b.key.Account = "main"
	return b, p
}

// Containment and revocation may stand under one sign-off: what people saw of the key's existence must hold after it was
// contained, and after that was taken back.
func TestWhatPeopleSignedAboutARevocationOutlivesTheContainment(t *testing.T) {
	t.Parallel()
	for name, of := range issuers() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, p := stealing(t, of)
			c := b.call("key.revoke", "key", nil)
			g := b.grant(t, c, "ann", "bob")
			was := must(p.State(t.Context(), keys.OpContain, b.key))(t)
			must(p.Contain(t.Context(), b.key))(t)
			if name == "azure_openai" { // Azure regenerates nothing while it is contained: it is given back first
				must(p.Restore(t.Context(), b.key, was.Undo))(t)
			}
			c.Grant = &g
			b.done(t, c)
			if st := must(p.State(t.Context(), keys.OpRevoke, b.key))(t); !st.Done {
				t.Errorf("after the revocation the provider says %+v", st)
			}
		})
	}
}

func TestWhatPeopleSignedAboutARevocationOutlivesGivingTheKeyBack(t *testing.T) {
	t.Parallel()
	for name, of := range issuers() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, p := stealing(t, of)
			was := must(p.State(t.Context(), keys.OpContain, b.key))(t)
			must(p.Contain(t.Context(), b.key))(t)
			c := b.call("key.revoke", "key", nil)
			g := b.grant(t, c, "ann", "bob")
			must(p.Restore(t.Context(), b.key, was.Undo))(t)
			c.Grant = &g
			b.done(t, c)
			if st := must(p.State(t.Context(), keys.OpRevoke, b.key))(t); !st.Done {
				t.Errorf("after the revocation the provider says %+v", st)
			}
		})
	}
}

func TestAzureRegeneratesNothingWhileTheResourceTakesNoKeysAndSaysWhatToDo(t *testing.T) {
	t.Parallel()
	b, p := stealing(t, issuers()["azure_openai"])
	c := b.call("key.revoke", "key", nil)
	must(p.Contain(t.Context(), b.key))(t)
	g := b.grant(t, c, "ann", "bob")
	c.Grant = &g
	_, err := b.do(t, c)
	refused(t, err, wire.ErrPermanent)
	if n := b.sent(sandbox.EffectFinal); n != 0 {
		t.Errorf("%d keys were regenerated", n)
	}
	create := b.call("key.create", "like", nil)
	if _, err := keyCreate().DryRun(t.Context(), b.h, In{create}); err == nil || !keys.IsPermanent(err) {
		t.Errorf("the plan to hand over the other key says %v", err)
	}
}
