package azureopenai_test

import (
	"context"
	"net/http"
	"testing"

	azfake "github.com/Azure/azure-sdk-for-go/sdk/azcore/fake"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/cognitiveservices/armcognitiveservices"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/cognitiveservices/armcognitiveservices/fake"

	"github.com/tourniquet-ir/tourniquet/integrations/faulttest"
	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/integrations/keys/azureopenai"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/sandbox"
)

func TestEveryCallAgainstEveryFault(t *testing.T) {
	t.Parallel()
	faulttest.Run(t, faulttest.Provider("azure_openai", faulttest.Subject{
		Open: func(url string) (keys.Provider, error) {
			return azureopenai.New(azureopenai.Config{
				Account: "prod", Subscription: sandbox.AzureSubscription, ResourceGroup: sandbox.AzureGroup, Resource: sandbox.AzureResource,
				Credential: fixed("token"), ARM: url, Inference: url,
			})
		},
		Key:    incident.Key{Provider: "azure_openai", Account: "prod", ID: sandbox.AzureResource + "/key1", UID: "0011223344556677"},
		Undo:   `{"local_auth":true}`,
		Secret: "abcdeFGHIJabcdeFGHIJabcdeFGHIJ00",
		Fine:   []string{"orphans/*"},
	}))
}

// official is the server that Azure's own client library brings for tests: it takes only requests that its description knows.
type official struct {
	*fake.AccountsServerTransport
}

func (o official) RoundTrip(r *http.Request) (*http.Response, error) { return o.Do(r) }

func TestTheOfficialFakeServerKnowsEveryRequest(t *testing.T) {
	t.Parallel()
	values, off := [2]string{"key-one-0123456789", "key-two-0123456789"}, false
	both := func() armcognitiveservices.APIKeys {
		return armcognitiveservices.APIKeys{Key1: to.Ptr(values[0]), Key2: to.Ptr(values[1])}
	}
	view := func() armcognitiveservices.Account {
		return armcognitiveservices.Account{Properties: &armcognitiveservices.AccountProperties{DisableLocalAuth: to.Ptr(off)}}
	}
	at := func(t *testing.T, group, name string) {
		if group != sandbox.AzureGroup || name != sandbox.AzureResource {
			t.Errorf("asked about %q in %q", name, group)
		}
	}
	server := &fake.AccountsServer{
		ListKeys: func(_ context.Context, group, name string, _ *armcognitiveservices.AccountsClientListKeysOptions) (out azfake.Responder[armcognitiveservices.AccountsClientListKeysResponse], _ azfake.ErrorResponder) {
			at(t, group, name)
			out.SetResponse(http.StatusOK, armcognitiveservices.AccountsClientListKeysResponse{APIKeys: both()}, nil)
			return out, azfake.ErrorResponder{}
		},
		Get: func(_ context.Context, group, name string, _ *armcognitiveservices.AccountsClientGetOptions) (out azfake.Responder[armcognitiveservices.AccountsClientGetResponse], _ azfake.ErrorResponder) {
			at(t, group, name)
			out.SetResponse(http.StatusOK, armcognitiveservices.AccountsClientGetResponse{Account: view()}, nil)
			return out, azfake.ErrorResponder{}
		},
		RegenerateKey: func(_ context.Context, group, name string, in armcognitiveservices.RegenerateKeyParameters, _ *armcognitiveservices.AccountsClientRegenerateKeyOptions) (out azfake.Responder[armcognitiveservices.AccountsClientRegenerateKeyResponse], _ azfake.ErrorResponder) {
			at(t, group, name)
			if *in.KeyName != armcognitiveservices.KeyNameKey1 {
				t.Errorf("regenerated was %q", *in.KeyName)
			}
			values[0] = "another-one-0123456789"
			out.SetResponse(http.StatusOK, armcognitiveservices.AccountsClientRegenerateKeyResponse{APIKeys: both()}, nil)
			return out, azfake.ErrorResponder{}
		},
		BeginUpdate: func(_ context.Context, group, name string, in armcognitiveservices.Account, _ *armcognitiveservices.AccountsClientBeginUpdateOptions) (out azfake.PollerResponder[armcognitiveservices.AccountsClientUpdateResponse], _ azfake.ErrorResponder) {
			at(t, group, name)
			off = *in.Properties.DisableLocalAuth
			out.AddNonTerminalResponse(http.StatusAccepted, nil)
			out.SetTerminalResponse(http.StatusOK, armcognitiveservices.AccountsClientUpdateResponse{Account: view()}, nil)
			return out, azfake.ErrorResponder{}
		},
	}
	p, err := azureopenai.New(azureopenai.Config{
		Account: "prod", Subscription: sandbox.AzureSubscription, ResourceGroup: sandbox.AzureGroup, Resource: sandbox.AzureResource,
		Credential: fixed("token"), HTTPClient: &http.Client{Transport: official{fake.NewAccountsServerTransport(server)}},
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx := within(t)
	k := must[[]incident.Key](t)(p.Identify(ctx, incident.Clue{}, []byte(values[0])))[0]
	st := must[keys.State](t)(p.State(ctx, keys.OpContain, k))
	must[keys.Receipt](t)(p.Contain(ctx, k))
	if !off {
		t.Error("key authentication is still on")
	}
	must[keys.Receipt](t)(p.Revoke(ctx, k))
	must[keys.Receipt](t)(p.Restore(ctx, k, st.Undo))
	if off || values[0] == "key-one-0123456789" {
		t.Errorf("key authentication is off: %v, the leaked value is %q", off, values[0])
	}
}
