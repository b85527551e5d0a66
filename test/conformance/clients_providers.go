package main

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"golang.org/x/oauth2"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/integrations/keys/anthropic"
	"github.com/tourniquet-ir/tourniquet/integrations/keys/azureopenai"
	"github.com/tourniquet-ir/tourniquet/integrations/keys/bedrock"
	"github.com/tourniquet-ir/tourniquet/integrations/keys/gemini"
	"github.com/tourniquet-ir/tourniquet/integrations/keys/litellm"
	"github.com/tourniquet-ir/tourniquet/integrations/keys/openai"
	"github.com/tourniquet-ir/tourniquet/integrations/keys/openrouter"
	"github.com/tourniquet-ir/tourniquet/internal/sandbox"
)

// world is one in which changes are felt at once.
func world() *sandbox.World {
	return sandbox.NewWorld(sandbox.Options{RevocationDelay: -1, AWSDelay: -1, AzureDelay: -1})
}

func driveGemini(ctx context.Context, t *tape) error {
	w := world()
	google := w.Google()
	model := t.serve("generativelanguage", google)
	p, err := gemini.New(gemini.Config{
		Account: "main", Project: "acme-prod", TokenSource: oauth2.StaticTokenSource(&oauth2.Token{AccessToken: w.AdminToken()}),
		Endpoints: gemini.Endpoints{
			APIKeys: t.serve("apikeys", google), ServiceUsage: t.serve("serviceusage", google), Monitoring: t.serve("monitoring", google),
			Logging: t.serve("logging", google), Generative: model, IAM: t.serve("iam", google), Token: t.serve("oauth2", google) + "/token",
		},
		MicroUSDPerRequest: 1000, PriceBasis: "made up",
	})
	if err != nil {
		return err
	}
	stolen := w.NewGeminiKey(sandbox.GeminiKey{Project: "acme-prod", Name: "shop"})
	if err := t.everyCall(ctx, subject{p, stolen, stolen.Hint(), sandbox.GeminiCall, t.unseen(google), 3}); err != nil {
		return err
	}
	t.suffix = " (service account)"
	defer func() { t.suffix = "" }()
	return t.everyCall(ctx, subject{p, w.NewGoogleAccountKey("acme-prod", "shop"), "", sandbox.GoogleAccountCall, t.unseen(google), 2})
}

func driveOpenAI(ctx context.Context, t *tape) error {
	w := world()
	at := w.OpenAI()
	url := t.serve("openai", at)
	w.NewOpenAIProject("proj_spare")
	for measure, suffix := range map[string]string{openai.MeasureSpend: "", openai.MeasureModels: " (by models)", openai.MeasureRates: " (by rates)"} {
		t.suffix = suffix
		p, err := openai.New(openai.Config{Account: "main", Project: "proj_shop", Replacement: "proj_spare", BaseURL: url + "/v1", AdminKey: w.AdminToken(), Measure: measure})
		if err != nil {
			return err
		}
		stolen := w.NewOpenAIKey(sandbox.OpenAIKey{Project: "proj_shop", Name: "shop " + measure})
		if err := t.everyCall(ctx, subject{p, stolen, stolen.Hint(), sandbox.OpenAICall, t.unseen(at), 2}); err != nil {
			return err
		}
	}
	return t.adminKey(ctx, w, url)
}

// adminKey is a stolen key of the whole organisation.
func (t *tape) adminKey(ctx context.Context, w *sandbox.World, url string) error {
	p, err := openai.New(openai.Config{Account: "main", Project: "proj_shop", BaseURL: url + "/v1", AdminKey: w.AdminToken()})
	if err != nil {
		return err
	}
	stolen := w.NewOpenAIAdminKey("automation")
	t.suffix = " (admin key)"
	s := subject{provider: p, stolen: stolen}
	key, err := t.find(ctx, s)
	if err != nil {
		return err
	}
	if err := t.probe(ctx, s, "key.probe", key, keys.ProbeWorking); err != nil {
		return err
	}
	if err := t.replace(ctx, s, key); err != nil {
		return err
	}
	return t.revoke(ctx, s, key)
}

func driveAnthropic(ctx context.Context, t *tape) error {
	w := world()
	at := w.Anthropic()
	p, err := anthropic.New(anthropic.Config{Account: "main", AdminKey: w.AdminToken(), BaseURL: t.serve("anthropic", at)})
	if err != nil {
		return err
	}
	stolen := w.NewAnthropicKey(sandbox.AnthropicKey{Workspace: "wrkspc_shop", Name: "shop"})
	w.NewAnthropicKey(sandbox.AnthropicKey{Name: "backup", By: "user_thief"})
	w.InviteToAnthropic("thief@evil.example", "admin")
	return t.everyCall(ctx, subject{p, stolen, stolen.Hint(), sandbox.AnthropicCall, t.unseen(at), 2})
}

func driveBedrock(ctx context.Context, t *tape) error {
	w := world()
	aws := w.AWS()
	id, secret := w.AWSResponder()
	p, err := bedrock.New(bedrock.Config{
		Account: "main", AccountID: sandbox.AWSAccountID, Regions: []string{"us-east-1", "us-west-2"},
		Credentials: credentials.NewStaticCredentialsProvider(id, secret, ""),
		Endpoints: bedrock.Endpoints{
			IAM: t.serve("iam", aws), STS: t.serve("sts", aws), CloudTrail: t.serve("cloudtrail", aws),
			Bedrock: t.serve("bedrock", aws), CostExplorer: t.serve("cost explorer", aws),
		},
	})
	if err != nil {
		return err
	}
	w.LogAWSInvocations("us-east-1")
	access, long := w.NewAWSAccessKey("shop-service"), w.NewAWSAPIKey("BedrockAPIKey-8f2a")
	model := t.unseen(aws)
	if err := t.everyCall(ctx, subject{p, access, "", sandbox.BedrockCall, model, 2}); err != nil {
		return err
	}
	t.suffix = " (Bedrock key)"
	return t.everyCall(ctx, subject{p, long, "", sandbox.BedrockCall, model, 2})
}

// token is one that never ends.
type token string

func (s token) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{Token: string(s), ExpiresOn: time.Now().Add(time.Hour)}, nil
}

func driveAzure(ctx context.Context, t *tape) error {
	w := world()
	at := w.Azure()
	url := t.serve("azure", at)
	p, err := azureopenai.New(azureopenai.Config{
		Account: "main", Subscription: sandbox.AzureSubscription, ResourceGroup: sandbox.AzureGroup, Resource: sandbox.AzureResource,
		Credential: token(w.AdminToken()), ARM: url, Inference: url,
	})
	if err != nil {
		return err
	}
	return t.everyCall(ctx, subject{p, w.NewAzureKey(), "", sandbox.AzureCall, t.unseen(at), 2})
}

func driveLiteLLM(ctx context.Context, t *tape) error {
	w := world()
	at := w.LiteLLM()
	p, err := litellm.New(litellm.Config{Account: "main", MasterKey: w.AdminToken(), BaseURL: t.serve("litellm", at)})
	if err != nil {
		return err
	}
	stolen := w.NewLiteLLMKey(sandbox.LiteLLMKey{Alias: "shop", Models: []string{"gpt-5"}, RPM: 600})
	return t.everyCall(ctx, subject{p, stolen, stolen.Hint(), sandbox.OpenAICall, t.unseen(at), 2})
}

func driveOpenRouter(ctx context.Context, t *tape) error {
	w := world()
	at := w.OpenRouter()
	p, err := openrouter.New(openrouter.Config{Account: "main", ManagementKey: w.AdminToken(), BaseURL: t.serve("openrouter", at) + "/api/v1"})
	if err != nil {
		return err
	}
	stolen := w.NewOpenRouterKey(sandbox.OpenRouterKey{Name: "shop", Limit: 5000})
	w.OldOpenRouterUse(stolen, 26*time.Hour, 3, 0.5)
	return t.everyCall(ctx, subject{p, stolen, stolen.Hint(), sandbox.OpenRouterCall, t.unseen(at), 2})
}

// unseen is the same service without a recorder, for those who are no clients of ours.
func (t *tape) unseen(h http.Handler) string {
	quiet := &tape{}
	url := quiet.serve("", h)
	t.close = append(t.close, quiet.end)
	return strings.TrimSuffix(url, "/")
}
