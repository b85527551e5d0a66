package gemini

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	logging "google.golang.org/api/logging/v2"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

const auditPrefix = "google.api.apikeys.v2.ApiKeys."

// auditKinds are the audited methods that leave something behind, and our word for each.
var auditKinds = map[string]string{
	auditPrefix + "CreateKey": "key_created", auditPrefix + "UpdateKey": "key_changed", auditPrefix + "UndeleteKey": "key_undeleted",
	auditPrefix + "DeleteKey": "key_deleted", auditPrefix + "GetKeyString": "key_value_read",
}

// Persistence lists what was done to the project's API keys since, by the audit log, and the living keys that were
// created since even where the log does not show them (it may be excluded or delayed).
func (p *Provider) Persistence(ctx context.Context, key incident.Key, since time.Time) ([]keys.Trace, []keys.Raw, error) {
	recorder := &tape{}
	ctx = context.WithValue(ctx, tapeKey{}, recorder)
	traces, created, err := p.audited(ctx, key, since, recorder)
	if err != nil {
		return nil, nil, err
	}
	raw := evidence("audit-entries", recorder)
	recorder.bodies = nil
	all, err := p.list(ctx, p.project(key))
	if err != nil {
		return traces, raw, err
	}
	for _, k := range all {
		at, err := time.Parse(time.RFC3339Nano, k.CreateTime)
		id := lastSegment(k.Name)
		if err != nil || at.Before(since) || k.DeleteTime != "" || created[id] || id == key.ID {
			continue
		}
		traces = append(traces, keys.Trace{Kind: "key_created", What: fmt.Sprintf("key %q (%q), not in the audit log", id, k.DisplayName), At: at.UTC()})
	}
	if isAccountKey(key.ID) {
		made, err := p.accountTraces(ctx, key, since)
		if err != nil {
			return traces, raw, err
		}
		traces = append(traces, made...)
	}
	slices.SortStableFunc(traces, func(a, b keys.Trace) int { return a.At.Compare(b.At) })
	return traces, append(raw, evidence("keys", recorder)...), nil
}

type auditPayload struct {
	MethodName         string `json:"methodName"`
	ResourceName       string `json:"resourceName"`
	AuthenticationInfo struct {
		PrincipalEmail string `json:"principalEmail"`
	} `json:"authenticationInfo"`
	RequestMetadata struct {
		CallerIP string `json:"callerIp"`
	} `json:"requestMetadata"`
}

// audited reads the audit log; created says which key ids it saw being made.
func (p *Provider) audited(ctx context.Context, key incident.Key, since time.Time, recorder *tape) (traces []keys.Trace, created map[string]bool, err error) {
	request := &logging.ListLogEntriesRequest{
		ResourceNames: []string{"projects/" + p.project(key)},
		Filter:        fmt.Sprintf("protoPayload.serviceName=%q AND timestamp>=%q", "apikeys.googleapis.com", since.UTC().Format(time.RFC3339Nano)),
		OrderBy:       "timestamp asc", PageSize: 1000,
	}
	err = p.read(ctx, fmt.Sprintf("reading the audit log of project %q", p.project(key)), func() error {
		traces, created, recorder.bodies = nil, map[string]bool{}, nil
		request.PageToken = ""
		return p.logging.Entries.List(request).Pages(ctx, func(page *logging.ListLogEntriesResponse) error {
			for _, entry := range page.Entries {
				trace, id, counts := traceOf(entry)
				if counts {
					traces = append(traces, trace)
					created[id] = created[id] || trace.Kind == "key_created"
				}
			}
			return nil
		})
	})
	return traces, created, err
}

// traceOf reads one entry. A long-running call leaves two entries; the second one repeats the first.
func traceOf(entry *logging.LogEntry) (trace keys.Trace, id string, counts bool) {
	var payload auditPayload
	if json.Unmarshal(entry.ProtoPayload, &payload) != nil || entry.Operation != nil && entry.Operation.Last && !entry.Operation.First {
		return trace, "", false
	}
	kind, known := auditKinds[payload.MethodName]
	at, err := time.Parse(time.RFC3339Nano, entry.Timestamp)
	if !known || err != nil {
		return trace, "", false
	}
	id = lastSegment(payload.ResourceName)
	what := fmt.Sprintf("key %q", id)
	if payload.RequestMetadata.CallerIP != "" {
		what += " from " + payload.RequestMetadata.CallerIP
	}
	return keys.Trace{Kind: kind, What: what, Actor: payload.AuthenticationInfo.PrincipalEmail, At: at.UTC()}, id, true
}
