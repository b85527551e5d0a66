package sandbox

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// openaiState is what the pretended OpenAI organisation remembers. The world's lock guards it.
type openaiState struct {
	projects map[string]*openaiProject
	keys     []*openaiKey // oldest first, deleted ones too
	calls    []openaiCall
	audit    []openaiAudit
}

type openaiProject struct {
	id         string
	limitCents int64 // 0 means no limit
	deny       []string
	mode       string // of model permissions: allow_list, deny_list or empty for none
	rates      map[string]int64
	accounts   []*openaiAccount
}

type openaiAccount struct {
	id, name  string
	createdAt time.Time
	deleted   bool
}

type openaiKey struct {
	Key
	account      *openaiAccount // nil when a person owns it
	refuseDelete bool
}

type openaiCall struct {
	at            time.Time
	key, project  string
	model         string
	input, output int
	usd           float64
	embeds        bool
}

type openaiAudit struct {
	at                           time.Time
	kind, project, target, email string
}

func newOpenAIState() *openaiState { return &openaiState{projects: map[string]*openaiProject{}} }

// OpenAIKey says what key to put into the world.
type OpenAIKey struct {
	Project      string
	Name         string
	Service      bool   // owned by a service account rather than a person
	RefuseDelete bool   // DELETE answers 400, as older descriptions of the API say for service accounts' keys
	Value        string // optional; for ambiguous hints a test may choose it
	Email        string // who made it, for the audit log
}

// NewOpenAIKey creates a key (and its project) as if somebody had done so on OpenAI's pages.
func (w *World) NewOpenAIKey(want OpenAIKey) Key {
	w.mu.Lock()
	defer w.mu.Unlock()
	p := w.openaiProjectLocked(want.Project)
	var account *openaiAccount
	if want.Service {
		account = w.addAccountLocked(p, want.Name)
	}
	k := w.addOpenAIKeyLocked(p, account, want.Name, want.Value)
	k.refuseDelete = want.RefuseDelete
	if want.Email == "" {
		want.Email = "owner@example.com"
	}
	w.openaiAuditLocked("api_key.created", p.id, k.ID, want.Email)
	return k.Key
}

// NewOpenAIProject makes an empty project.
func (w *World) NewOpenAIProject(id string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.openaiProjectLocked(id)
}

func (w *World) openaiProjectLocked(id string) *openaiProject {
	if p, known := w.openai.projects[id]; known {
		return p
	}
	p := &openaiProject{id: id, rates: map[string]int64{}}
	for model := range openaiPrices {
		p.rates[model] = 10000
	}
	p.rates[embeddingModel] = 3000
	w.openai.projects[id] = p
	return p
}

func (w *World) addAccountLocked(p *openaiProject, name string) *openaiAccount {
	a := &openaiAccount{id: "svc_acct_" + randomText(fullAlphabet, 20), name: name, createdAt: w.Now()}
	p.accounts = append(p.accounts, a)
	return a
}

func (w *World) addOpenAIKeyLocked(p *openaiProject, account *openaiAccount, name, value string) *openaiKey {
	prefix := "sk-proj-"
	if account != nil {
		prefix = "sk-svcacct-"
	}
	if value == "" {
		value = prefix + randomText(fullAlphabet, 74) + "T3Blbk" + "FJ" + randomText(fullAlphabet, 74)
	}
	k := &openaiKey{account: account, Key: Key{
		Provider: "openai", Project: p.id, ID: "key_" + randomText(fullAlphabet, 16), Name: name, secret: value, createdAt: w.Now(),
	}}
	w.openai.keys = append(w.openai.keys, k)
	w.values[value] = &k.Key
	return k
}

func (w *World) openaiKeyLocked(id string) *openaiKey {
	at := slices.IndexFunc(w.openai.keys, func(k *openaiKey) bool { return k.ID == id })
	if at < 0 {
		return nil
	}
	return w.openai.keys[at]
}

func (w *World) openaiAuditLocked(kind, project, target, email string) {
	w.openai.audit = append(w.openai.audit, openaiAudit{w.Now(), kind, project, target, email})
}

// spentCents is what the project has cost this month, in cents.
func (w *World) spentCents(project string) float64 {
	now, sum := w.Now().UTC(), 0.0
	month := time.Date(now.Year(), now.Month(), 1, 0, 0, 0, 0, time.UTC)
	for _, c := range w.openai.calls {
		if c.project == project && !c.at.Before(month) {
			sum += c.usd * 100
		}
	}
	return sum
}

// view is the key as the admin API shows it: never with its value.
func (w *World) openaiKeyView(k *openaiKey) map[string]any {
	owner := map[string]any{"type": "user", "user": map[string]any{
		"id": "user_owner", "email": "owner@example.com", "name": "Owner", "role": "member", "created_at": k.createdAt.Unix(),
	}}
	if k.account != nil {
		account := k.account.view()
		delete(account, "object") // an owner carries none
		owner = map[string]any{"type": "service_account", "service_account": account}
	}
	var used any
	for _, c := range w.openai.calls {
		if c.key == k.ID {
			used = c.at.Unix()
		}
	}
	prefix := k.secret[:strings.LastIndexByte(k.secret[:12], '-')+1]
	return map[string]any{
		"object": "organization.project.api_key", "redacted_value": prefix + "****…" + k.secret[len(k.secret)-4:], "name": k.Name,
		"created_at": k.createdAt.Unix(), "last_used_at": used, "id": k.ID, "owner_project_access": "active", "owner": owner,
	}
}

func (a *openaiAccount) view() map[string]any {
	return map[string]any{"object": "organization.project.service_account", "id": a.id, "name": a.name, "role": "member", "created_at": a.createdAt.Unix()}
}

// openaiError is an error in OpenAI's shape.
func openaiError(status int, kind, code, message string) reply {
	var c any
	if code != "" {
		c = code
	}
	return reply{status: status, body: map[string]any{"error": map[string]any{"message": message, "type": kind, "param": nil, "code": c}}}
}

func openaiRefusal(status int) reply {
	kind := "invalid_request_error"
	if status >= 500 {
		kind = "server_error"
	}
	return openaiError(status, kind, "", http.StatusText(status))
}
