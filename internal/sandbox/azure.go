package sandbox

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// azureVersions are the API versions that this world was built from.
var azureVersions = map[string]string{"account": "2025-06-01", "metrics": "2024-02-01", "activity": "2015-04-01", "operation": "2025-06-01"}

// Azure answers for Azure Resource Manager (azure-arm in the log) and for the resource itself (azure_openai).
func (w *World) Azure() http.Handler {
	arm, model := w.serve("azure-arm", azureRefusal, w.azureARM), w.serve("azure_openai", azureRefusal, w.azureModel)
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/openai/") {
			model.ServeHTTP(rw, r)
			return
		}
		arm.ServeHTTP(rw, r)
	})
}

const azureAccount = "/subscriptions/" + AzureSubscription + "/resourceGroups/" + AzureGroup + "/providers/Microsoft.CognitiveServices/accounts/" + AzureResource

// azureARM is the control plane: it wants a token and the right version of the API.
func (w *World) azureARM(c *call) reply {
	if c.r.Header.Get("Authorization") != "Bearer "+w.opt.Admin {
		return azureError(http.StatusUnauthorized, "InvalidAuthenticationToken", "The access token is invalid.")
	}
	if c.entry.Actor == ActorUnknown {
		c.entry.Actor = ActorResponder
	}
	w.azureSlotLocked(0)
	path, version := c.r.URL.Path, func(of string) bool { return c.r.URL.Query().Get("api-version") == azureVersions[of] }
	switch {
	case path == azureAccount && version("account"):
		return w.azureResource(c)
	case strings.HasPrefix(path, azureAccount+"/") && version("account") && c.r.Method == http.MethodPost:
		return w.azureVerb(c, strings.TrimPrefix(path, azureAccount+"/"))
	case path == azureAccount+"/providers/microsoft.insights/metrics" && version("metrics"):
		return w.azureMetrics(c)
	case path == "/subscriptions/"+AzureSubscription+"/providers/microsoft.insights/eventtypes/management/values" && version("activity"):
		return w.azureActivityLog(c)
	case path == azureOperation && version("operation"):
		c.entry.Effect = EffectObserve
		state := "Succeeded"
		if w.Now().Before(w.azure.busy) {
			state = "InProgress"
		}
		return ok(map[string]string{"status": state})
	}
	return azureError(http.StatusNotFound, "ResourceNotFound", "The resource or the version of the API was not found.")
}

const azureOperation = "/subscriptions/" + AzureSubscription + "/providers/Microsoft.CognitiveServices/locations/westeurope/operationResults/1"

func (w *World) azureView() map[string]any {
	state := "Succeeded"
	if w.Now().Before(w.azure.busy) {
		state = "Accepted"
	}
	return map[string]any{
		"id": azureAccount, "name": AzureResource, "type": "Microsoft.CognitiveServices/accounts", "kind": "OpenAI", "location": "westeurope", "etag": `"1"`,
		"properties": map[string]any{"disableLocalAuth": !w.azure.keyAuth.now, "provisioningState": state, "endpoint": "https://" + AzureResource + ".openai.azure.com/"},
	}
}

func (w *World) azureDid(c *call, operation string) {
	w.azure.activity = append(w.azure.activity, azureActivity{w.Now().UTC(), "Microsoft.CognitiveServices/accounts/" + operation, c.entry.Actor})
}

// azureResource shows the resource, or begins to change it: that takes a while, and two changes at once are refused.
func (w *World) azureResource(c *call) reply {
	switch c.r.Method {
	case http.MethodGet:
		c.entry.Effect = EffectObserve
		return ok(w.azureView())
	case http.MethodPatch:
		var in struct {
			Properties struct {
				DisableLocalAuth *bool `json:"disableLocalAuth"`
			} `json:"properties"`
		}
		if json.Unmarshal(c.body, &in) != nil || in.Properties.DisableLocalAuth == nil {
			return azureError(http.StatusBadRequest, "InvalidRequestContent", "The request content was invalid.")
		}
		if w.Now().Before(w.azure.busy) {
			return azureError(http.StatusConflict, "RequestConflict", "Cannot modify resource with id '"+azureAccount+"' because the resource entity provisioning state is not terminal.")
		}
		c.entry.Effect = EffectUndoable
		w.azure.keyAuth.set(!*in.Properties.DisableLocalAuth, w.Now(), w.azureDelay())
		w.azureDid(c, "write")
		if w.azureDelay() == 0 {
			return ok(w.azureView())
		}
		w.azure.busy = w.Now().Add(w.azureDelay())
		return reply{status: http.StatusAccepted, body: w.azureView(), header: http.Header{
			"Azure-Asyncoperation": {"http://" + c.r.Host + azureOperation + "?api-version=" + azureVersions["operation"]}, "Retry-After": {"1"},
		}}
	}
	return azureRefusal(http.StatusMethodNotAllowed)
}

// azureClosed is the answer to whoever wants keys of a resource that takes none. Azure is known to give it to listKeys; whether
// it would regenerate a key then is nowhere said, so this world does not: nothing may rely on it.
func (w *World) azureClosed(verb string) reply {
	return azureError(http.StatusBadRequest, "BadRequest", "Failed to "+map[string]string{"listKeys": "list", "regenerateKey": "regenerate"}[verb]+" key. disableLocalAuth is set to be true")
}

// azureVerb lists keys or regenerates one.
func (w *World) azureVerb(c *call, verb string) reply {
	both := func() reply {
		return ok(map[string]string{"key1": w.azure.slots[0].secret, "key2": w.azure.slots[1].secret})
	}
	if !w.azure.keyAuth.now && (verb == "listKeys" || verb == "regenerateKey") {
		return w.azureClosed(verb)
	}
	switch verb {
	case "listKeys":
		c.entry.Effect = EffectObserve
		w.azureDid(c, "listKeys/action")
		return both()
	case "regenerateKey":
		var in struct{ KeyName string }
		i := -1
		if json.Unmarshal(c.body, &in) == nil {
			i = slices.Index([]string{"Key1", "Key2"}, in.KeyName)
		}
		if i < 0 {
			return azureError(http.StatusBadRequest, "BadRequest", "keyName must be Key1 or Key2.")
		}
		c.entry.Effect, c.entry.Key = EffectFinal, w.azure.slots[i].ID
		w.azureFillLocked(i)
		w.azureDid(c, "regenerateKey/action")
		return both()
	}
	return azureRefusal(http.StatusNotFound)
}

// azureMetrics counts the resource's calls by minute.
func (w *World) azureMetrics(c *call) reply {
	from, to, found := strings.Cut(c.r.URL.Query().Get("timespan"), "/")
	begin, err1 := time.Parse(time.RFC3339, from)
	end, err2 := time.Parse(time.RFC3339, to)
	widths := map[string]time.Duration{"PT1M": time.Minute, "PT1H": time.Hour}
	width := widths[c.r.URL.Query().Get("interval")]
	if !found || err1 != nil || err2 != nil || width == 0 || c.r.Method != http.MethodGet {
		return azureError(http.StatusBadRequest, "BadRequest", "timespan or interval is invalid.")
	}
	c.entry.Effect = EffectObserve
	sums := map[time.Time][3]int{}
	var order []time.Time
	for _, call := range w.azure.calls {
		at := call.at.Truncate(width)
		if at.Before(begin.Truncate(width)) || at.After(end) {
			continue
		}
		if _, seen := sums[at]; !seen {
			order = append(order, at)
		}
		s := sums[at]
		sums[at] = [3]int{s[0] + 1, s[1] + call.input, s[2] + call.output}
	}
	values := []any{}
	for i, name := range []string{"AzureOpenAIRequests", "ProcessedPromptTokens", "GeneratedTokens"} {
		if !slices.Contains(strings.Split(c.r.URL.Query().Get("metricnames"), ","), name) {
			continue
		}
		data := []any{}
		for _, at := range order {
			data = append(data, map[string]any{"timeStamp": at.UTC().Format(time.RFC3339), "total": sums[at][i]})
		}
		values = append(values, map[string]any{"name": map[string]string{"value": name}, "unit": "Count", "timeseries": []any{map[string]any{
			"metadatavalues": []any{map[string]any{"name": map[string]string{"value": "modeldeploymentname"}, "value": azureDeployment}}, "data": data,
		}}})
	}
	return ok(map[string]any{"timespan": from + "/" + to, "interval": c.r.URL.Query().Get("interval"), "value": values})
}

// azureActivityLog is what administrators did.
func (w *World) azureActivityLog(c *call) reply {
	filter := c.r.URL.Query().Get("$filter")
	var from, resource string
	if _, err := fmt.Sscanf(filter, "eventTimestamp ge '%20s' and resourceUri eq '%s", &from, &resource); err != nil {
		return azureError(http.StatusBadRequest, "BadRequest", "The filter is invalid.")
	}
	since, err := time.Parse(time.RFC3339, from)
	if err != nil {
		return azureError(http.StatusBadRequest, "BadRequest", "The filter is invalid.")
	}
	c.entry.Effect = EffectObserve
	values := []any{}
	for _, a := range w.azure.activity {
		if a.at.Before(since) {
			continue
		}
		values = append(values, map[string]any{
			"eventTimestamp": stamp(a.at), "caller": a.actor + "@example.com", "operationName": map[string]string{"value": a.operation},
			"status": map[string]string{"value": "Succeeded"}, "httpRequest": map[string]string{"clientIpAddress": "192.0.2.5"}, "resourceId": azureAccount,
		})
	}
	return ok(map[string]any{"value": values})
}

// azureModel is the resource itself: model calls with one of its keys.
func (w *World) azureModel(c *call) reply {
	known := w.values[c.r.Header.Get("Api-Key")]
	if known != nil && known.Provider == "azure_openai" {
		c.entry.Key = known.ID
	}
	if !w.azure.keyAuth.felt(w.Now(), w.azureDelay()) {
		return azureError(http.StatusForbidden, "AuthenticationTypeDisabled", "Key based authentication is disabled for this resource.")
	}
	if known == nil || known.Provider != "azure_openai" || w.dead(known) {
		return azureError(http.StatusUnauthorized, "401", "Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide a valid key for an active subscription and use a correct regional API endpoint for your resource.")
	}
	if c.r.URL.Query().Get("api-version") == "" {
		return azureError(http.StatusNotFound, "404", "Resource not found")
	}
	if c.r.URL.Path == "/openai/models" && c.r.Method == http.MethodGet {
		c.entry.Effect = EffectObserve
		return ok(map[string]any{"object": "list", "data": []any{map[string]string{"id": azureDeployment, "object": "model"}}})
	}
	var in struct {
		Max int `json:"max_tokens"`
	}
	if c.r.URL.Path != "/openai/deployments/"+azureDeployment+"/chat/completions" || c.r.Method != http.MethodPost {
		return azureError(http.StatusNotFound, "DeploymentNotFound", "The API deployment for this resource does not exist.")
	}
	if json.Unmarshal(c.body, &in) != nil || in.Max < 1 {
		return azureError(http.StatusBadRequest, "invalid_request_error", "max_tokens is invalid.")
	}
	c.entry.USD, c.entry.Effect = float64(in.Max)*thiefUSDPerToken, EffectUse
	if c.entry.Actor == ActorAttacker {
		c.entry.Effect = EffectAbuse
	}
	w.azure.calls = append(w.azure.calls, azureCall{w.Now().UTC(), 8, in.Max})
	return ok(map[string]any{
		"object": "chat.completion", "model": azureDeployment, "usage": map[string]int{"prompt_tokens": 8, "completion_tokens": in.Max, "total_tokens": in.Max + 8},
		"choices": []any{map[string]any{"index": 0, "finish_reason": "length", "message": map[string]string{"role": "assistant", "content": "Once upon a time."}}},
	})
}
