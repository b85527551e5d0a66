package intake

import (
	"encoding/json"
	"net/http"

	"github.com/tourniquet-ir/tourniquet/integrations/sources"
)

// problemDocument is RFC 9457.
type problemDocument struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
}

func problem(w http.ResponseWriter, refused *sources.RefusedError) {
	if refused.Status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", "Bearer")
	}
	writeJSON(w, refused.Status, "application/problem+json", problemDocument{
		Type: "about:blank", Title: http.StatusText(refused.Status), Status: refused.Status, Detail: refused.Reason,
	})
}

// overloaded answers 503: many senders drop an alert for good on any 4xx, and come again on this.
func overloaded(w http.ResponseWriter, why string) {
	w.Header().Set("Retry-After", "5")
	problem(w, &sources.RefusedError{Status: http.StatusServiceUnavailable, Reason: why + "; send it again after Retry-After"})
}

func writeJSON(w http.ResponseWriter, status int, kind string, body any) {
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}
