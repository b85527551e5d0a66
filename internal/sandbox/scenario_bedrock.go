package sandbox

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

// awsIssuer is Amazon Bedrock as a stage needs it.
func awsIssuer(secretType string, leak func(*World) Key) Issuer {
	return Issuer{
		Provider: "bedrock", SecretType: secretType, Call: BedrockCall, Serve: (*World).AWS, Leak: leak,
		Brief: time.Second, Lingers: 4 * time.Second, LingersWhy: "AWS: 3 to 4 seconds",
		Config: `{ account: demo, account_id: "` + AWSAccountID + `", regions: [us-east-1, us-west-2], access_key_id: @secrets/aws-id, secret_access_key: @secrets/aws-secret,
      endpoints: { iam: "@url", sts: "@url", cloudtrail: "@url", bedrock: "@url", cost_explorer: "@url" },
      micro_usd_per_request: 46667, price_basis: "the sandbox's own price, 28 USD a minute at 10 calls a second" }`,
		Secrets: func(w *World) map[string]string {
			id, secret := w.AWSResponder()
			return map[string]string{"aws-id": id, "aws-secret": secret}
		},
	}
}

// bedrockAccessKey is the theft that is most often told: a key that may do more than it should, spent within minutes, and
// a way back left behind.
func bedrockAccessKey() Scenario {
	s := leak("bedrock-access-key", "an AWS access key leaks; the thief switches logging off, leaves a phantom user behind and spends on Bedrock", awsIssuer("aws_access_key_id", func(w *World) Key {
		k := w.NewAWSAccessKey("shop-service")
		w.AllowAWS("shop-service", "iam:*")
		w.LogAWSInvocations("us-east-1")
		w.LogAWSInvocations("us-west-2")
		return k
	}))
	s.Intrude, s.Answer = intrudeAWS, bedrockAnswers
	s.Finding = func(s *Stage) map[string]any { // scanners find both halves of an access key in one file
		return map[string]any{
			"id": "scan-" + s.Key.ID, "kind": incident.KindKeyLeaked, "severity": "critical", "title": "AWS access key with its secret in a public notebook",
			"key": map[string]any{"provider": "bedrock", "account": s.Account, "secret": s.Key.Secret()},
		}
	}
	return s
}

func bedrockAPIKey() Scenario {
	s := leak("bedrock-api-key", "a long-term Bedrock API key leaks; the user that AWS made for it stays when the key is gone", awsIssuer("amazon_bedrock_api_key", func(w *World) Key {
		w.LogAWSInvocations("us-east-1")
		w.LogAWSInvocations("us-west-2")
		return w.NewAWSAPIKey("BedrockAPIKey-8f2a")
	}))
	s.Answer = bedrockAnswers
	return s
}

// bedrockAnswers: it is abuse, and what the intruder left behind has been removed by hand.
const bedrockAnswers = "abuse removed"

// BedrockCall is one Converse call, signed with an access key or with a Bedrock key as bearer token.
func BedrockCall(ctx context.Context, base, secret string, tokens int) (*http.Request, error) {
	body := fmt.Sprintf(`{"messages":[{"role":"user","content":[{"text":%q}]}],"inferenceConfig":{"maxTokens":%d}}`, modelPrompt, tokens)
	return awsRequest(ctx, base, secret, "bedrock", http.MethodPost, "/model/"+awsModel+"/converse", "application/json", body)
}

// awsRequest words a call as its holder would send it.
func awsRequest(ctx context.Context, base, secret, service, method, path, kind, body string) (*http.Request, error) {
	r, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(base, "/")+path, strings.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("the address of AWS is not a URL")
	}
	r.Header.Set("Content-Type", kind)
	r.Header.Set("User-Agent", "python-requests/2.32")
	if strings.HasPrefix(secret, "ABSK") {
		r.Header.Set("Authorization", "Bearer "+secret)
		return r, nil
	}
	var pair struct{ AccessKeyID, SecretAccessKey string }
	if err := json.Unmarshal([]byte(secret), &pair); err != nil {
		return nil, fmt.Errorf("the value is no access key with its secret")
	}
	sum := sha256.Sum256([]byte(body))
	creds := aws.Credentials{AccessKeyID: pair.AccessKeyID, SecretAccessKey: pair.SecretAccessKey}
	return r, v4.NewSigner().SignHTTP(ctx, creds, r, hex.EncodeToString(sum[:]), service, "us-east-1", time.Now())
}

// intrudeAWS is the routine of a thief before he spends: who am I, what is there, who is looking, how do I come back.
func intrudeAWS(ctx context.Context, s *Stage) error {
	const phantom = "BedrockAPIKey-77aa"
	for _, step := range []struct{ service, method, path, form string }{
		{"sts", http.MethodPost, "/", "Action=GetCallerIdentity&Version=2011-06-15"},
		{"bedrock", http.MethodGet, "/foundation-models", ""},
		{"bedrock", http.MethodDelete, "/logging/modelinvocations", ""},
		{"iam", http.MethodPost, "/", iamForm("CreateUser", phantom)},
		{"iam", http.MethodPost, "/", iamForm("CreateServiceSpecificCredential", phantom) + "&ServiceName=" + awsBedrockUsers},
		{"iam", http.MethodPost, "/", iamForm("CreateAccessKey", phantom)},
	} {
		r, err := awsRequest(ctx, s.ProviderURL, s.Key.Secret(), step.service, step.method, step.path, "application/x-www-form-urlencoded", step.form)
		if err != nil {
			return err
		}
		r.Header.Set(ActorHeader, ActorAttacker)
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			return fmt.Errorf("the thief found no AWS: %w", err)
		}
		_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, bodyLimit))
		_ = res.Body.Close()
		if res.StatusCode != http.StatusOK {
			return fmt.Errorf("the thief's %s %s %s was answered %d", step.service, step.method, step.path, res.StatusCode)
		}
	}
	return nil
}

func iamForm(action, user string) string {
	return url.Values{"Action": {action}, "Version": {"2010-05-08"}, "UserName": {user}}.Encode()
}
