package sandbox

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// Google serves API Keys v2, IAM v1, the token endpoint, Service Usage v1, Cloud Monitoring v3, Cloud Logging v2 and the Gemini API on one
// address; the paths of the real services do not collide.
func (w *World) Google() http.Handler {
	admin := func(service string, h func(*call) reply) http.Handler {
		return w.serve(service, googleRefusal, func(c *call) reply {
			if c.r.Header.Get("Authorization") != "Bearer "+w.opt.Admin {
				return googleError(http.StatusUnauthorized, "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid authentication credential.", "ACCESS_TOKEN_TYPE_UNSUPPORTED")
			}
			if c.entry.Actor == ActorUnknown { // another administrator says who they are
				c.entry.Actor = ActorResponder
			}
			w.settleLocked()
			return h(c)
		})
	}
	apikeys, usage := admin("apikeys", w.googleKeys), admin("serviceusage", w.googleServices)
	iam, tokens := admin("iam", w.googleIAM), w.serve("oauth2", googleRefusal, w.googleToken)
	monitoring, logging := admin("monitoring", w.googleTimeSeries), admin("logging", w.googleEntries)
	gemini := w.serve("gemini", googleRefusal, func(c *call) reply {
		w.settleLocked()
		return w.gemini(c)
	})
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		switch path := r.URL.Path; {
		case strings.HasPrefix(path, "/v1beta/"):
			gemini.ServeHTTP(rw, r)
		case path == "/v2/entries:list":
			logging.ServeHTTP(rw, r)
		case strings.HasPrefix(path, "/v2/"):
			apikeys.ServeHTTP(rw, r)
		case strings.HasPrefix(path, "/v1/projects/") && strings.Contains(path, "/serviceAccounts"):
			iam.ServeHTTP(rw, r)
		case path == "/token":
			tokens.ServeHTTP(rw, r)
		case strings.HasPrefix(path, "/v1/"):
			usage.ServeHTTP(rw, r)
		case strings.HasPrefix(path, "/v3/"):
			monitoring.ServeHTTP(rw, r)
		default:
			writeReply(rw, googleRefusal(http.StatusNotFound))
		}
	})
}

// googleStatus is the canonical name that Google puts beside an HTTP status.
var googleStatus = map[int]string{
	400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 404: "NOT_FOUND", 409: "ABORTED",
	413: "INVALID_ARGUMENT", 429: "RESOURCE_EXHAUSTED", 500: "INTERNAL", 503: "UNAVAILABLE",
}

func googleRefusal(status int) reply {
	return googleError(status, http.StatusText(status)+".", "")
}

// googleError is an error in Google's shape; reason may be empty.
func googleError(status int, message, reason string) reply {
	return googleErrorStatus(status, googleStatus[status], message, reason)
}

func googleErrorStatus(status int, name, message, reason string) reply {
	body := map[string]any{"code": status, "message": message, "status": name}
	if reason != "" {
		body["details"] = []any{map[string]any{
			"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason, "domain": "googleapis.com",
			"metadata": map[string]string{"service": generativeService},
		}}
	}
	return reply{status: status, body: map[string]any{"error": body}}
}

func preconditionFailed(message string) reply {
	return googleErrorStatus(http.StatusBadRequest, "FAILED_PRECONDITION", message, "")
}

// decodeGoogle reads a JSON body as Google does: unknown fields are refused.
func decodeGoogle(body []byte, into any) *reply {
	if len(bytes.TrimSpace(body)) == 0 {
		return nil
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	err := d.Decode(into)
	if err == nil && d.More() {
		err = io.ErrUnexpectedEOF
	}
	if err == nil {
		return nil
	}
	refused := googleError(http.StatusBadRequest, fmt.Sprintf("Invalid JSON payload received. %s: Cannot find field.", strings.TrimPrefix(err.Error(), "json: ")), "")
	return &refused
}

// knownQuery refuses query parameters that the call does not have.
func knownQuery(query url.Values, names ...string) *reply {
	for name := range query {
		known := name == "alt" || name == "prettyPrint"
		for _, n := range names {
			known = known || n == name
		}
		if !known {
			refused := googleError(http.StatusBadRequest, fmt.Sprintf("Invalid JSON payload received. Unknown name %q: Cannot bind query parameter. Field %q could not be found in request message.", name, name), "")
			return &refused
		}
	}
	return nil
}
