package sandbox

import (
	"net/http"
	"time"
)

// The one Azure OpenAI resource of this world.
const (
	AzureSubscription = "00000000-0000-4000-8000-000000000001"
	AzureGroup        = "ai"
	AzureResource     = "acme-openai"
	azureDeployment   = "gpt-4o"
)

// azureState is the resource: two slots, and whether keys are taken at all.
type azureState struct {
	slots    [2]*Key
	keyAuth  lagged[bool]
	busy     time.Time // until when a change of the resource is under way
	calls    []azureCall
	activity []azureActivity
}

type azureCall struct {
	at            time.Time
	input, output int
}

type azureActivity struct {
	at               time.Time
	operation, actor string
}

func newAzureState() *azureState {
	return &azureState{keyAuth: lagged[bool]{now: true, before: true}}
}

// NewAzureKey fills both slots where they are empty and gives the first one.
func (w *World) NewAzureKey() Key {
	w.mu.Lock()
	defer w.mu.Unlock()
	return *w.azureSlotLocked(0)
}

// AzureKey is what a slot (1 or 2) holds now.
func (w *World) AzureKey(n int) Key {
	w.mu.Lock()
	defer w.mu.Unlock()
	return *w.azureSlotLocked(n - 1)
}

func (w *World) azureSlotLocked(i int) *Key {
	if w.azure.slots[0] == nil {
		w.azureFillLocked(0)
		w.azureFillLocked(1)
	}
	return w.azure.slots[i]
}

// azureFillLocked gives a slot a new value; the old one dies when that has spread.
func (w *World) azureFillLocked(i int) {
	if old := w.azure.slots[i]; old != nil {
		old.deletedAt = w.Now()
	}
	name := [2]string{"key1", "key2"}[i]
	k := &Key{Provider: "azure_openai", Project: AzureGroup, ID: AzureResource + "/" + name, Name: name, secret: randomText(fullAlphabet, 84), createdAt: w.Now()}
	w.azure.slots[i], w.values[k.secret] = k, k
}

// azureError is an error in Azure's shape.
func azureError(status int, code, message string) reply {
	return reply{status: status, body: map[string]any{"error": map[string]string{"code": code, "message": message}}}
}

func azureRefusal(status int) reply {
	codes := map[int]string{
		400: "BadRequest", 401: "InvalidAuthenticationToken", 403: "AuthorizationFailed", 404: "ResourceNotFound", 409: "Conflict", 429: "TooManyRequests",
		500: "InternalServerError", 503: "ServiceUnavailable",
	}
	code := codes[status]
	if code == "" {
		code = "Error"
	}
	return azureError(status, code, http.StatusText(status))
}

func (w *World) azureDelay() time.Duration { return max(w.opt.AzureDelay, 0) }
