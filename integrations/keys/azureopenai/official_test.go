package azureopenai_test

import (
	"context"
	"net/http"
	"testing"

	azfake "github.com/Azure/azure-sdk-for-go/sdk/azcore/fake"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/cognitiveservices/armcognitiveservices"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/cognitiveservices/armcognitiveservices/fake"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/integrations/keys/azureopenai"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/sandbox"
)

// official is the server that Azure's own client library brings for tests: it takes only requests that its description knows.
type official struct {
	*fake.AccountsServerTransport
}

func (o official) RoundTrip(r *http.Request) (*http.Response, error) { return o.Do(r) }

func TestTheOfficialFakeServerKnowsEveryRequest(t *testing.T) {
	t.Parallel()
	is := &resource{t: t, values: [2]string{"key-one-0123456789", "key-two-0123456789"}}
	p, err := azureopenai.New(azureopenai.Config{
		Account: "prod", Subscription: sandbox.AzureSubscription, ResourceGroup: sandbox.AzureGroup, Resource: sandbox.AzureResource,
		Credential: fixed("token"), HTTPClient: &http.Client{Transport: official{fake.NewAccountsServerTransport(&fake.AccountsServer{
			ListKeys: is.listKeys, Get: is.get, RegenerateKey: is.regenerate, BeginUpdate: is.update,
		})}},
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx := within(t)
	k := must[[]incident.Key](t)(p.Identify(ctx, incident.Clue{}, []byte(is.values[0])))[0]
	st := must[keys.State](t)(p.State(ctx, keys.OpContain, k))
	must[keys.Receipt](t)(p.Contain(ctx, k))
	if !is.off {
		t.Error("key authentication is still on")
	}
	must[keys.Receipt](t)(p.Revoke(ctx, k))
	must[keys.Receipt](t)(p.Restore(ctx, k, st.Undo))
	if is.off || is.values[0] == "key-one-0123456789" {
		t.Errorf("key authentication is off: %v, the leaked value is %q", is.off, is.values[0])
	}
}

// resource is what stands behind the official server.
type resource struct {
	t      *testing.T
	values [2]string
	off    bool
}

func (r *resource) at(group, name string) {
	if group != sandbox.AzureGroup || name != sandbox.AzureResource {
		r.t.Errorf("asked about %q in %q", name, group)
	}
}

func (r *resource) both() armcognitiveservices.APIKeys {
	return armcognitiveservices.APIKeys{Key1: to.Ptr(r.values[0]), Key2: to.Ptr(r.values[1])}
}

func (r *resource) view() armcognitiveservices.Account {
	return armcognitiveservices.Account{Properties: &armcognitiveservices.AccountProperties{DisableLocalAuth: to.Ptr(r.off)}}
}

func (r *resource) listKeys(_ context.Context, group, name string, _ *armcognitiveservices.AccountsClientListKeysOptions) (out azfake.Responder[armcognitiveservices.AccountsClientListKeysResponse], _ azfake.ErrorResponder) {
	r.at(group, name)
	out.SetResponse(http.StatusOK, armcognitiveservices.AccountsClientListKeysResponse{APIKeys: r.both()}, nil)
	return out, azfake.ErrorResponder{}
}

func (r *resource) get(_ context.Context, group, name string, _ *armcognitiveservices.AccountsClientGetOptions) (out azfake.Responder[armcognitiveservices.AccountsClientGetResponse], _ azfake.ErrorResponder) {
	r.at(group, name)
	out.SetResponse(http.StatusOK, armcognitiveservices.AccountsClientGetResponse{Account: r.view()}, nil)
	return out, azfake.ErrorResponder{}
}

func (r *resource) regenerate(_ context.Context, group, name string, in armcognitiveservices.RegenerateKeyParameters, _ *armcognitiveservices.AccountsClientRegenerateKeyOptions) (out azfake.Responder[armcognitiveservices.AccountsClientRegenerateKeyResponse], _ azfake.ErrorResponder) {
	r.at(group, name)
	if *in.KeyName != armcognitiveservices.KeyNameKey1 {
		r.t.Errorf("regenerated was %q", *in.KeyName)
	}
	r.values[0] = "another-one-0123456789"
	out.SetResponse(http.StatusOK, armcognitiveservices.AccountsClientRegenerateKeyResponse{APIKeys: r.both()}, nil)
	return out, azfake.ErrorResponder{}
}

func (r *resource) update(_ context.Context, group, name string, in armcognitiveservices.Account, _ *armcognitiveservices.AccountsClientBeginUpdateOptions) (out azfake.PollerResponder[armcognitiveservices.AccountsClientUpdateResponse], _ azfake.ErrorResponder) {
	r.at(group, name)
	r.off = *in.Properties.DisableLocalAuth
	out.AddNonTerminalResponse(http.StatusAccepted, nil)
	out.SetTerminalResponse(http.StatusOK, armcognitiveservices.AccountsClientUpdateResponse{Account: r.view()}, nil)
	return out, azfake.ErrorResponder{}
}
