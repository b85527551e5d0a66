package sandbox

import (
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strings"
)

// awsModel costs what the thief's other favourites cost.
const awsModel = "anthropic.claude-sonnet-4-20250514-v1:0"

var awsModelPath = regexp.MustCompile(`^/model/([^/]+)/(converse|invoke)$`)

// awsRuntime is a model call: what costs money.
func (w *World) awsRuntime(c *call) reply {
	path := c.r.URL.Path
	if plain, err := url.PathUnescape(c.r.URL.EscapedPath()); err == nil {
		path = plain
	}
	m := awsModelPath.FindStringSubmatch(path)
	if m == nil || c.r.Method != http.MethodPost {
		return awsJSONError(awsRefusal{http.StatusNotFound, "UnknownOperationException", "The operation is not known."})
	}
	name := map[string]string{"converse": "Converse", "invoke": "InvokeModel"}[m[2]]
	var in struct {
		InferenceConfig struct{ MaxTokens int }
		MaxTokens       *int `json:"max_tokens"`
	}
	who, refused := w.awsJSON(c, "bedrock:InvokeModel", &in)
	params := map[string]any{"modelId": m[1]}
	if refused != nil {
		if who.awsKey != nil {
			w.awsRecord(c, who, name, "bedrock", "AccessDenied", params)
		}
		return *refused
	}
	tokens := in.InferenceConfig.MaxTokens
	if in.MaxTokens != nil {
		tokens = *in.MaxTokens
	}
	if m[1] != awsModel || tokens < 1 {
		w.awsRecord(c, who, name, "bedrock", "ValidationException", params)
		return awsJSONError(awsRefusal{http.StatusBadRequest, "ValidationException", "The model identifier or the number of tokens is invalid."})
	}
	w.awsRecord(c, who, name, "bedrock", "", params)
	return w.awsAnswer(c, m[2], tokens)
}

// awsAnswer charges for the tokens and gives them.
func (w *World) awsAnswer(c *call, verb string, tokens int) reply {
	c.entry.USD, c.entry.Effect = float64(tokens)*thiefUSDPerToken, EffectUse
	if c.entry.Actor == ActorAttacker {
		c.entry.Effect = EffectAbuse
	}
	w.aws.charges = append(w.aws.charges, awsCharge{w.Now().UTC(), c.entry.USD})
	text := []any{map[string]string{"text": "Once upon a time."}}
	var body any = map[string]any{"role": "assistant", "content": text, "usage": map[string]int{"input_tokens": 8, "output_tokens": tokens}}
	if verb == "converse" {
		body = map[string]any{
			"output": map[string]any{"message": map[string]any{"role": "assistant", "content": text}}, "stopReason": "max_tokens",
			"usage": map[string]int{"inputTokens": 8, "outputTokens": tokens, "totalTokens": tokens + 8}, "metrics": map[string]int{"latencyMs": 1},
		}
	}
	return reply{status: http.StatusOK, body: body, header: http.Header{"Content-Type": {"application/json"}}}
}

// awsControl is Bedrock's control plane: models, and whether invocations are logged.
func (w *World) awsControl(c *call) reply {
	path, method := c.r.URL.Path, c.r.Method
	name := map[string]string{
		"GET /foundation-models": "ListFoundationModels", "GET /logging/modelinvocations": "GetModelInvocationLoggingConfiguration",
		"PUT /logging/modelinvocations": "PutModelInvocationLoggingConfiguration", "DELETE /logging/modelinvocations": "DeleteModelInvocationLoggingConfiguration",
	}[method+" "+path]
	if method == http.MethodGet && strings.HasPrefix(path, "/foundation-model-availability/") {
		name = "GetFoundationModelAvailability"
	}
	if name == "" {
		return awsJSONError(awsRefusal{http.StatusNotFound, "UnknownOperationException", "The operation is not known."})
	}
	who, refused := w.awsJSON(c, "bedrock:"+name, nil)
	if refused != nil {
		if who.awsKey != nil {
			w.awsRecord(c, who, name, "bedrock", "AccessDenied", nil)
		}
		return *refused
	}
	w.awsRecord(c, who, name, "bedrock", "", nil)
	c.entry.Effect = EffectObserve
	var body any = map[string]any{}
	switch name {
	case "ListFoundationModels":
		body = map[string]any{"modelSummaries": []any{map[string]string{"modelId": awsModel, "modelArn": "arn:aws:bedrock:" + who.region + "::foundation-model/" + awsModel}}}
	case "GetFoundationModelAvailability":
		body = map[string]any{"modelId": awsModel, "authorizationStatus": "AUTHORIZED", "entitlementAvailability": "AVAILABLE", "regionAvailability": "AVAILABLE"}
	case "GetModelInvocationLoggingConfiguration":
		if w.aws.logging[who.region] {
			body = map[string]any{"loggingConfig": map[string]any{"textDataDeliveryEnabled": true, "s3Config": map[string]string{"bucketName": "example-model-logs"}}}
		}
	case "PutModelInvocationLoggingConfiguration":
		if !json.Valid(c.body) {
			return awsJSONError(awsRefusal{http.StatusBadRequest, "ValidationException", "The configuration could not be read."})
		}
		w.aws.logging[who.region], c.entry.Effect = true, EffectUndoable
	default:
		w.aws.logging[who.region], c.entry.Effect = false, EffectUndoable
	}
	if c.entry.Actor == ActorAttacker {
		c.entry.Effect = EffectObserve // an intruder's changes are no part of the response that is measured
	}
	return reply{status: http.StatusOK, body: body, header: http.Header{"Content-Type": {"application/json"}, "X-Amzn-Requestid": {randomUUID()}}}
}

// LogAWSInvocations switches the record of invocations on in a Region, as a careful owner does.
func (w *World) LogAWSInvocations(region string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.aws.logging[region] = true
}

// AllowAWS gives a user further actions, as "iam:*".
func (w *World) AllowAWS(user string, actions ...string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if u := w.awsUserLocked(user); u != nil {
		u.allowed = append(u.allowed, actions...)
	}
}
