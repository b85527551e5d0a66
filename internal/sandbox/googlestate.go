package sandbox

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

const generativeService = "generativelanguage.googleapis.com"

// googleState is what the pretended Google Cloud remembers. The world's lock guards it.
type googleState struct {
	projects   map[string]*googleProject // by id and by number
	keys       map[string]*googleKey     // by key id
	operations map[string]*googleOperation
	pending    []*googleOperation // in the order in which they were started
	calls      []googleCall
	audit      []auditEntry
	accounts   map[string]*googleAccount // by mail address
	tokens     map[string]googleToken
}

type googleProject struct {
	id, number string
	services   map[string]bool // enabled or not
}

// googleKey is a Key as the API Keys API sees it.
type googleKey struct {
	Key
	project      *googleProject
	restrictions *restrictions
	annotations  map[string]string
	updatedAt    time.Time
	version      int
}

type restrictions struct {
	APITargets []apiTarget     `json:"apiTargets,omitempty"`
	Server     *serverClients  `json:"serverKeyRestrictions,omitempty"`
	Browser    *browserClients `json:"browserKeyRestrictions,omitempty"`
	Android    json.RawMessage `json:"androidKeyRestrictions,omitempty"`
	IOS        json.RawMessage `json:"iosKeyRestrictions,omitempty"`
}

type apiTarget struct {
	Service string   `json:"service,omitempty"`
	Methods []string `json:"methods,omitempty"`
}

type serverClients struct {
	AllowedIPs []string `json:"allowedIps,omitempty"`
}

type browserClients struct {
	AllowedReferrers []string `json:"allowedReferrers,omitempty"`
}

// googleOperation is a long-running operation: apply runs once, when the operation is due.
type googleOperation struct {
	name  string
	due   time.Time
	done  bool
	apply func() any
	out   any
}

// googleCall is one request that Google attributes to a key, for Cloud Monitoring.
type googleCall struct {
	at     time.Time
	uid    string
	method string
	code   int
}

type auditEntry struct {
	at                          time.Time
	project                     *googleProject
	method, principal, resource string
	operation                   string
	first, last                 bool
}

func newGoogleState() *googleState {
	return &googleState{projects: map[string]*googleProject{}, keys: map[string]*googleKey{}, operations: map[string]*googleOperation{}, accounts: map[string]*googleAccount{}, tokens: map[string]googleToken{}}
}

// GeminiKey says what key to put into the world.
type GeminiKey struct {
	Project    string
	Name       string
	APITargets []string // services the key may call; none means all
	Principal  string   // who made it, for the audit log; default the project's owner
}

// NewGeminiKey creates a key (and its project, with the Gemini API enabled) as if somebody had done so in the console.
func (w *World) NewGeminiKey(want GeminiKey) Key {
	w.mu.Lock()
	defer w.mu.Unlock()
	p := w.googleProjectLocked(want.Project)
	limits := &restrictions{}
	for _, service := range want.APITargets {
		limits.APITargets = append(limits.APITargets, apiTarget{Service: service})
	}
	if want.Principal == "" {
		want.Principal = "owner@" + p.id + ".example"
	}
	k := w.addGoogleKeyLocked(p, want.Name, limits, nil, "")
	w.auditLocked(auditEntry{project: p, method: "CreateKey", principal: want.Principal, resource: k.resource(), first: true, last: true})
	return k.Key
}

func (w *World) googleProjectLocked(id string) *googleProject {
	if p, known := w.google.projects[id]; known {
		return p
	}
	p := &googleProject{id: id, number: "4" + randomText("0123456789", 11), services: map[string]bool{
		generativeService: true, "apikeys.googleapis.com": true, "monitoring.googleapis.com": true, "logging.googleapis.com": true,
	}}
	w.google.projects[p.id], w.google.projects[p.number] = p, p
	return p
}

func (w *World) addGoogleKeyLocked(p *googleProject, name string, limits *restrictions, notes map[string]string, id string) *googleKey {
	if id == "" {
		id = randomUUID()
	}
	now := w.Now()
	k := &googleKey{project: p, restrictions: limits, annotations: notes, updatedAt: now, version: 1, Key: Key{
		Provider: "gemini", Project: p.id, ID: id, UID: randomUUID(), Name: name,
		secret: "AIza" + randomText(fullAlphabet+"_-", 35), createdAt: now,
	}}
	w.google.keys[id], w.values[k.secret] = k, &k.Key
	return k
}

func (k *googleKey) parent() string   { return "projects/" + k.project.number + "/locations/global" }
func (k *googleKey) resource() string { return k.parent() + "/keys/" + k.ID }
func (k *googleKey) etag() string     { return fmt.Sprintf("W/\"%s-%d\"", k.UID[:8], k.version) }

func (k *googleKey) touch(now time.Time) {
	k.version++
	k.updatedAt = now
}

// view is the key as the API shows it: never with its value.
func (k *googleKey) view() map[string]any {
	out := map[string]any{
		"name": k.resource(), "uid": k.UID, "displayName": k.Name, "etag": k.etag(),
		"createTime": stamp(k.createdAt), "updateTime": stamp(k.updatedAt),
	}
	if k.restrictions != nil {
		out["restrictions"] = k.restrictions
	}
	if len(k.annotations) > 0 {
		out["annotations"] = k.annotations
	}
	if !k.deletedAt.IsZero() {
		out["deleteTime"] = stamp(k.deletedAt)
	}
	return out
}

// allows reports whether the restrictions let a call of service through.
func (r *restrictions) allows(service string) bool {
	if r == nil || len(r.APITargets) == 0 {
		return true
	}
	return slices.ContainsFunc(r.APITargets, func(t apiTarget) bool { return t.Service == service })
}

// startLocked begins a long-running operation of the API Keys API or Service Usage.
func (w *World) startLocked(apply func() any) *googleOperation {
	op := &googleOperation{name: "operations/akmf." + randomUUID(), due: w.Now().Add(max(w.opt.ContainDelay, 0)), apply: apply}
	w.google.operations[op.name] = op
	w.google.pending = append(w.google.pending, op)
	w.settleLocked()
	return op
}

// settleLocked lets the operations that are due take effect.
func (w *World) settleLocked() {
	now, waiting := w.Now(), w.google.pending[:0]
	for _, op := range w.google.pending {
		if now.Before(op.due) {
			waiting = append(waiting, op)
			continue
		}
		op.out, op.done = op.apply(), true
	}
	w.google.pending = waiting
}

func (op *googleOperation) view() map[string]any {
	if !op.done {
		return map[string]any{"name": op.name}
	}
	return map[string]any{"name": op.name, "done": true, "response": op.out}
}

func (w *World) auditLocked(e auditEntry) {
	e.at = w.Now()
	w.google.audit = append(w.google.audit, e)
}
