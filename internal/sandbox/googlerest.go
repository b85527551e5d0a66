package sandbox

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

var servicePath = regexp.MustCompile(`^/v1/projects/([^/]+)/services/([a-z0-9.-]+)(:enable|:disable)?$`)

// googleServices is Service Usage v1.
func (w *World) googleServices(c *call) reply {
	if op, found := strings.CutPrefix(c.r.URL.Path, "/v1/"); found && strings.HasPrefix(op, "operations/") && c.r.Method == http.MethodGet {
		return w.operation(c, op)
	}
	m := servicePath.FindStringSubmatch(c.r.URL.Path)
	if m == nil {
		return googleError(http.StatusNotFound, "Method not found.", "")
	}
	p, known := w.google.projects[m[1]]
	if !known {
		return googleError(http.StatusForbidden, "Permission denied on resource or it may not exist.", "AUTH_PERMISSION_DENIED")
	}
	service := m[2]
	view := func() map[string]any {
		state := "DISABLED"
		if p.services[service] {
			state = "ENABLED"
		}
		return map[string]any{
			"name": "projects/" + p.number + "/services/" + service, "parent": "projects/" + p.number,
			"config": map[string]string{"name": service}, "state": state,
		}
	}
	switch c.r.Method + m[3] {
	case http.MethodGet:
		c.entry.Effect = EffectObserve
		return ok(view())
	case http.MethodPost + ":enable":
		return w.switchService(c, p, service, true, view)
	case http.MethodPost + ":disable":
		return w.switchService(c, p, service, false, view)
	}
	return googleError(http.StatusNotFound, "Method not found.", "")
}

func (w *World) switchService(c *call, p *googleProject, service string, on bool, view func() map[string]any) reply {
	var body struct {
		DisableDependentServices bool   `json:"disableDependentServices"`
		CheckIfServiceHasUsage   string `json:"checkIfServiceHasUsage"`
	}
	if refused := decodeGoogle(c.body, &body); refused != nil {
		return *refused
	}
	if !on && !p.services[service] {
		return preconditionFailed("The service " + service + " is not enabled for the project and cannot be disabled.")
	}
	if !on && body.CheckIfServiceHasUsage == "CHECK" && len(w.google.calls) > 0 {
		return preconditionFailed("The service has been used recently.")
	}
	c.entry.Effect = EffectUndoable
	op := w.startLocked(func() any {
		p.services[service] = on
		out := map[string]any{"@type": "type.googleapis.com/google.api.serviceusage.v1.EnableServiceResponse", "service": view()}
		if !on {
			out["@type"] = "type.googleapis.com/google.api.serviceusage.v1.DisableServiceResponse"
		}
		return out
	})
	return ok(op.view())
}

// googleEntries is Cloud Logging's entries:list for the audit log of API keys.
func (w *World) googleEntries(c *call) reply {
	var body struct {
		ResourceNames []string `json:"resourceNames"`
		Filter        string   `json:"filter"`
		OrderBy       string   `json:"orderBy"`
		PageSize      int      `json:"pageSize"`
		PageToken     string   `json:"pageToken"`
	}
	if c.r.Method != http.MethodPost {
		return googleError(http.StatusNotFound, "Method not found.", "")
	}
	if refused := decodeGoogle(c.body, &body); refused != nil {
		return *refused
	}
	if len(body.ResourceNames) == 0 {
		return googleError(http.StatusBadRequest, "At least one resource name is required.", "")
	}
	filter, err := parseLogFilter(body.Filter)
	if err != nil {
		return googleError(http.StatusBadRequest, "Unparseable filter: "+err.Error(), "")
	}
	found := []any{}
	for _, e := range w.google.audit {
		named := slices.Contains(body.ResourceNames, "projects/"+e.project.id) || slices.Contains(body.ResourceNames, "projects/"+e.project.number)
		if named && filter.fits(e) {
			found = append(found, e.view())
		}
	}
	if body.OrderBy == "timestamp desc" {
		slices.Reverse(found)
	}
	from, to, next := page(len(found), strconv.Itoa(body.PageSize), body.PageToken, 1000)
	if from < 0 {
		return googleError(http.StatusBadRequest, "The page token is not valid.", "")
	}
	c.entry.Effect = EffectObserve
	return ok(map[string]any{"entries": found[from:to], "nextPageToken": next})
}

type logFilter struct {
	since   time.Time
	methods []string
	service string
}

var (
	logTerm   = regexp.MustCompile(`^(timestamp>=|protoPayload\.serviceName=|protoPayload\.methodName=)"([^"]*)"$`)
	logMethod = regexp.MustCompile(`"([^"]*)"`)
)

// parseLogFilter understands the terms that a reader of this log needs and refuses all others.
func parseLogFilter(text string) (logFilter, error) {
	var f logFilter
	for _, term := range strings.Split(text, " AND ") {
		term = strings.TrimSpace(term)
		if rest, found := strings.CutPrefix(term, "protoPayload.methodName=("); found {
			for _, m := range logMethod.FindAllStringSubmatch(rest, -1) {
				f.methods = append(f.methods, m[1])
			}
			continue
		}
		m := logTerm.FindStringSubmatch(term)
		if m == nil {
			return f, fmt.Errorf("unknown term %q", term)
		}
		switch m[1] {
		case "timestamp>=":
			t, err := time.Parse(time.RFC3339Nano, m[2])
			if err != nil {
				return f, fmt.Errorf("%q is no time", m[2])
			}
			f.since = t
		case "protoPayload.serviceName=":
			f.service = m[2]
		default:
			f.methods = append(f.methods, m[2])
		}
	}
	return f, nil
}

func (f logFilter) fits(e auditEntry) bool {
	return !e.at.Before(f.since) && (f.service == "" || f.service == "apikeys.googleapis.com") &&
		(len(f.methods) == 0 || slices.Contains(f.methods, e.name()))
}

func (e auditEntry) name() string { return "google.api.apikeys.v2.ApiKeys." + e.method }

func (e auditEntry) view() map[string]any {
	out := map[string]any{
		"logName": "projects/" + e.project.id + "/logs/cloudaudit.googleapis.com%2Factivity", "insertId": strconv.FormatInt(e.at.UnixNano(), 36),
		"timestamp": stamp(e.at), "severity": "NOTICE", "resource": map[string]any{"type": "audited_resource"},
		"protoPayload": map[string]any{
			"@type": "type.googleapis.com/google.cloud.audit.AuditLog", "serviceName": "apikeys.googleapis.com",
			"methodName": e.name(), "resourceName": e.resource,
			"authenticationInfo": map[string]any{"principalEmail": e.principal},
			"requestMetadata":    map[string]any{"callerIp": "203.0.113.7", "callerSuppliedUserAgent": "google-api-go-client/0.5"},
		},
	}
	if e.operation != "" {
		out["operation"] = map[string]any{"id": e.operation, "first": e.first, "last": e.last}
	}
	return out
}

// page cuts n items: from, to and the next token; from is -1 when the token is not one of ours.
func page(n int, size, token string, limit int) (from, to int, next string) {
	if token != "" {
		at, err := strconv.Atoi(strings.TrimPrefix(token, "page-"))
		if err != nil || at < 0 || at > n {
			return -1, 0, ""
		}
		from = at
	}
	if s, err := strconv.Atoi(size); err == nil && s > 0 && s < limit {
		limit = s
	}
	if to = from + limit; to >= n {
		return from, n, ""
	}
	return from, to, "page-" + strconv.Itoa(to)
}
