package main

import (
	"context"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/fake"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	arm "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/cognitiveservices/armcognitiveservices"
	armfake "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/cognitiveservices/armcognitiveservices/fake"
)

// azureShapes hands each request to the server that Azure's own library brings for tests, which takes only what its
// description knows, and has it repeat the sandbox's answer: what it cannot repeat is not described.
type azureShapes struct{}

// azureCalls are the library's names of calls, by method and the end of the path.
var azureCalls = map[string]string{
	"POST listKeys": "AccountsClient.ListKeys", "POST regenerateKey": "AccountsClient.RegenerateKey",
	"GET ": "AccountsClient.Get", "PATCH ": "AccountsClient.BeginUpdate",
}

func (azureShapes) check(x exchange) (verdict, bool) {
	_, rest, inside := strings.Cut(x.request.URL.Path, "/providers/Microsoft.CognitiveServices/accounts/")
	_, end, _ := strings.Cut(rest, "/")
	name, known := azureCalls[x.request.Method+" "+end]
	if x.service != "azure" || !inside || !known {
		return verdict{}, false
	}
	v := verdict{call: name, by: "armcognitiveservices"}
	if x.status == http.StatusAccepted || !good(x.status) {
		return v, true
	}
	said, err := azureRepeat(name, x)
	if err != nil {
		v.fault("the official server refuses it: %s", err)
		return v, true
	}
	v.answer = true
	was, ok := decoded(x.answer)
	again, _ := decoded(said)
	if !ok {
		v.fault("the answer is not JSON")
	}
	for _, field := range lost(was, again, "") {
		v.fault("the answer has a field %q that is not described", field)
	}
	return v, true
}

func azureRepeat(name string, x exchange) ([]byte, error) {
	var both arm.APIKeys
	var account arm.Account
	if err := json.Unmarshal(x.answer, &both); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(x.answer, &account); err != nil {
		return nil, err
	}
	server := armfake.NewAccountsServerTransport(&armfake.AccountsServer{
		ListKeys: func(context.Context, string, string, *arm.AccountsClientListKeysOptions) (r fake.Responder[arm.AccountsClientListKeysResponse], e fake.ErrorResponder) {
			r.SetResponse(http.StatusOK, arm.AccountsClientListKeysResponse{APIKeys: both}, nil)
			return r, e
		},
		RegenerateKey: func(context.Context, string, string, arm.RegenerateKeyParameters, *arm.AccountsClientRegenerateKeyOptions) (r fake.Responder[arm.AccountsClientRegenerateKeyResponse], e fake.ErrorResponder) {
			r.SetResponse(http.StatusOK, arm.AccountsClientRegenerateKeyResponse{APIKeys: both}, nil)
			return r, e
		},
		Get: func(context.Context, string, string, *arm.AccountsClientGetOptions) (r fake.Responder[arm.AccountsClientGetResponse], e fake.ErrorResponder) {
			r.SetResponse(http.StatusOK, arm.AccountsClientGetResponse{Account: account}, nil)
			return r, e
		},
		BeginUpdate: func(context.Context, string, string, arm.Account, *arm.AccountsClientBeginUpdateOptions) (r fake.PollerResponder[arm.AccountsClientUpdateResponse], e fake.ErrorResponder) {
			r.SetTerminalResponse(http.StatusOK, arm.AccountsClientUpdateResponse{Account: account}, nil)
			return r, e
		},
	})
	request := x.request.Clone(context.WithValue(context.Background(), runtime.CtxAPINameKey{}, name))
	request.Body = io.NopCloser(strings.NewReader(string(x.body)))
	res, err := server.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = res.Body.Close() }()
	return io.ReadAll(res.Body)
}

// lost are the fields of a value that are not in its repetition.
func lost(was, again any, at string) (out []string) {
	a, isObject := was.(map[string]any)
	b, _ := again.(map[string]any)
	if !isObject {
		return nil
	}
	for _, name := range slices.Sorted(maps.Keys(a)) {
		if _, kept := b[name]; !kept && !reflect.ValueOf(a[name]).IsZero() {
			out = append(out, at+name)
		} else {
			out = append(out, lost(a[name], b[name], at+name+".")...)
		}
	}
	return out
}
