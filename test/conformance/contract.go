package main

import (
	"encoding/json"
	"fmt"
	"mime"
	"net/url"
	"strings"
)

// verdict is what a description says of one exchange.
type verdict struct {
	call   string   // the call as its description names it, as "GET /organization/projects/{project_id}/api_keys"
	by     string   // which description; empty where none knows the call
	answer bool     // the answer was held against it, too
	faults []string // how request or answer deviate
}

func (v *verdict) fault(format string, args ...any) {
	v.faults = append(v.faults, fmt.Sprintf(format, args...))
}

// description knows calls of some services. known is false for a call that it does not describe.
type description interface {
	check(x exchange) (v verdict, known bool)
}

// plainly names a call that nobody describes: what looks like an id becomes a hole, so that the list is the same every time.
func plainly(x exchange) string {
	if x.service == webhookService {
		return "webhook " + hookName(x)
	}
	parts := strings.Split(x.request.URL.EscapedPath(), "/")
	for i, p := range parts {
		name, verb, _ := strings.Cut(p, ":")
		if strings.ContainsAny(name, "0123456789%") && name != "v1" && name != "v2" && name != "v3" && name != "v1beta" {
			parts[i] = strings.TrimSuffix("{id}:"+verb, ":")
		}
	}
	return x.request.Method + " " + strings.Join(parts, "/")
}

// decoded is a body of JSON; ok is false for anything else.
func decoded(body []byte) (value any, ok bool) {
	err := json.Unmarshal(body, &value)
	return value, err == nil
}

func isJSON(contentType string) bool {
	kind, _, err := mime.ParseMediaType(contentType)
	return err == nil && (kind == "application/json" || strings.HasSuffix(kind, "+json"))
}

func good(status int) bool { return status >= 200 && status < 300 }

// segments of an escaped path, each unescaped for comparison with literal ones.
func segments(path string) []string {
	parts := strings.Split(strings.Trim(path, "/"), "/")
	for i, p := range parts {
		if plain, err := url.PathUnescape(p); err == nil {
			parts[i] = plain
		}
	}
	return parts
}
