package sandbox

import (
	"net"
	"net/http"
	"regexp"
	"slices"
	"strings"
)

// Prices of the pretended models in dollars per million tokens: input, output.
var geminiPrices = map[string][2]float64{
	"gemini-2.5-pro": {1.25, 10}, "gemini-2.5-flash": {0.30, 2.50}, "gemini-2.5-flash-lite": {0.10, 0.40},
}

var generatePath = regexp.MustCompile(`^/v1beta/models/([a-z0-9.-]+):generateContent$`)

const (
	geminiMethod    = "google.ai.generativelanguage.v1beta."
	maxOutputTokens = 65536
)

// gemini is the Gemini API itself: model calls, the model list and the file list that thieves probe with.
func (w *World) gemini(c *call) reply {
	if bearer, is := strings.CutPrefix(c.r.Header.Get("Authorization"), "Bearer "); is {
		return w.geminiByToken(c, bearer)
	}
	value := c.r.Header.Get("X-Goog-Api-Key")
	if value == "" {
		value = c.r.URL.Query().Get("key")
	}
	known, found := w.values[value]
	if value == "" {
		return googleError(http.StatusForbidden, "Method doesn't allow unregistered callers (callers without established identity). Please use API Key or other form of API consumer identity to call this API.", "")
	}
	if !found || known.Provider != "gemini" || w.dead(known) {
		if found {
			c.entry.Key = known.ID
		}
		return googleError(http.StatusBadRequest, "API key not valid. Please pass a valid API key.", "API_KEY_INVALID")
	}
	k := w.google.keys[known.ID]
	c.entry.Key = k.ID
	method, answer := w.geminiCall(c, k.refusal)
	w.google.calls = append(w.google.calls, googleCall{at: c.entry.T, uid: k.UID, method: geminiMethod + method, code: answer.status})
	return answer
}

func (w *World) geminiCall(c *call, refusal func(r *http.Request, method string) *reply) (string, reply) {
	method, path := "ModelService.ListModels", c.r.URL.Path
	m := generatePath.FindStringSubmatch(path)
	switch {
	case m != nil && c.r.Method == http.MethodPost:
		method = "GenerativeService.GenerateContent"
	case path == "/v1beta/files" && c.r.Method == http.MethodGet:
		method = "FileService.ListFiles"
	case path != "/v1beta/models" || c.r.Method != http.MethodGet:
		return "Unknown", googleError(http.StatusNotFound, "Method not found.", "")
	}
	if refused := refusal(c.r, method); refused != nil {
		return method, *refused
	}
	c.entry.Effect = EffectObserve
	switch {
	case m != nil:
		return method, generate(c, m[1])
	case path == "/v1beta/files":
		return method, ok(map[string]any{"files": []any{}})
	}
	models := []any{}
	for name := range geminiPrices {
		models = append(models, map[string]any{"name": "models/" + name, "supportedGenerationMethods": []string{"generateContent"}})
	}
	return method, ok(map[string]any{"models": models})
}

// refusal is what the project's services and the key's restrictions say against the call; nil lets it through.
func (k *googleKey) refusal(r *http.Request, method string) *reply {
	if refused := k.project.off(); refused != nil {
		return refused
	}
	host, _, _ := net.SplitHostPort(r.RemoteAddr)
	var refused reply
	switch {
	case !k.restrictions.allows(generativeService):
		refused = googleError(http.StatusForbidden, "Requests to this API "+generativeService+" method "+geminiMethod+method+" are blocked.", "API_KEY_SERVICE_BLOCKED")
	case k.restrictions != nil && k.restrictions.Server != nil && !slices.Contains(k.restrictions.Server.AllowedIPs, host):
		refused = googleError(http.StatusForbidden, "The provided API key has an IP address restriction. The originating IP address of the call violates this restriction.", "API_KEY_IP_ADDRESS_BLOCKED")
	default:
		return nil
	}
	return &refused
}

// off is what a project says whose Gemini API is switched off.
func (p *googleProject) off() *reply {
	if p.services[generativeService] {
		return nil
	}
	refused := googleError(http.StatusForbidden, "Generative Language API has not been used in project "+p.number+" before or it is disabled.", "SERVICE_DISABLED")
	return &refused
}

// generate answers a model call and charges for it: as many output tokens as were asked for, at the list price.
func generate(c *call, model string) reply {
	price, known := geminiPrices[model]
	if !known {
		return googleError(http.StatusNotFound, "models/"+model+" is not found for API version v1beta, or is not supported for generateContent.", "")
	}
	var body struct {
		Contents []struct {
			Role  string `json:"role"`
			Parts []struct {
				Text string `json:"text"`
			} `json:"parts"`
		} `json:"contents"`
		GenerationConfig struct {
			MaxOutputTokens int `json:"maxOutputTokens"`
		} `json:"generationConfig"`
	}
	if refused := decodeGoogle(c.body, &body); refused != nil {
		return *refused
	}
	if len(body.Contents) == 0 {
		return googleError(http.StatusBadRequest, "* GenerateContentRequest.contents: contents is not specified", "")
	}
	input := 0
	for _, content := range body.Contents {
		for _, part := range content.Parts {
			input += len(strings.Fields(part.Text))
		}
	}
	output := body.GenerationConfig.MaxOutputTokens
	if output <= 0 {
		output = 256
	}
	output = min(output, maxOutputTokens)
	charge(c, (float64(input)*price[0]+float64(output)*price[1])/1e6)
	return ok(map[string]any{
		"candidates":    []any{map[string]any{"content": map[string]any{"role": "model", "parts": []any{map[string]string{"text": "Certainly."}}}, "finishReason": "STOP", "index": 0}},
		"usageMetadata": map[string]int{"promptTokenCount": input, "candidatesTokenCount": output, "totalTokenCount": input + output},
		"modelVersion":  model,
	})
}

// charge bills a model call: abuse when the attacker made it, use when anybody else did.
func charge(c *call, usd float64) {
	c.entry.USD, c.entry.Effect = usd, EffectUse
	if c.entry.Actor == ActorAttacker {
		c.entry.Effect = EffectAbuse
	}
}
