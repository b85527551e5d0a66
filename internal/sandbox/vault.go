package sandbox

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Vault is a pretended Vault with key-value engines of version 2. Its state is guarded by the world's lock.
type Vault struct {
	w       *World
	token   string
	mux     *http.ServeMux
	mounts  map[string]bool // whether check-and-set is required
	secrets map[string][]*vaultVersion
}

type vaultVersion struct {
	data      map[string]any
	created   time.Time
	deleted   time.Time
	destroyed bool
}

// Vault makes a Vault of this world with the mounts named; those in strict want check-and-set with every write.
func (w *World) Vault(strict ...string) *Vault {
	v := &Vault{w: w, token: "hvs." + randomText(fullAlphabet, 24), mux: http.NewServeMux(), mounts: map[string]bool{"secret": false}, secrets: map[string][]*vaultVersion{}}
	for _, m := range strict {
		v.mounts[m] = true
	}
	v.route("GET /v1/auth/token/lookup-self", EffectObserve, func(*call) reply {
		return ok(map[string]any{"data": map[string]any{"display_name": "token-tourniquet", "policies": []string{"tourniquet"}, "ttl": 3600}})
	})
	v.route("GET /v1/{mount}/data/{path...}", EffectObserve, v.read)
	v.route("PUT /v1/{mount}/data/{path...}", EffectUndoable, v.write)
	v.route("POST /v1/{mount}/data/{path...}", EffectUndoable, v.write)
	v.mux.Handle("/", v.handler("", func(*call) reply { return vaultRefusal(http.StatusNotFound) }))
	return v
}

// Token is what the Vault takes in X-Vault-Token.
func (v *Vault) Token() string { return v.token }

// ServeHTTP implements http.Handler.
func (v *Vault) ServeHTTP(rw http.ResponseWriter, r *http.Request) { v.mux.ServeHTTP(rw, r) }

// SetSecret writes a version, as somebody else would.
func (v *Vault) SetSecret(namespace, mount, path string, fields map[string]string) {
	v.w.mu.Lock()
	defer v.w.mu.Unlock()
	data := map[string]any{}
	for f, text := range fields {
		data[f] = text
	}
	at := namespace + "|" + mount + "|" + path
	v.secrets[at] = append(v.secrets[at], &vaultVersion{data: data, created: v.w.Now().UTC()})
}

// Secret is a field of the newest version: the world's judgement.
func (v *Vault) Secret(namespace, mount, path, field string) (value string, version int) {
	v.w.mu.Lock()
	defer v.w.mu.Unlock()
	list := v.secrets[namespace+"|"+mount+"|"+path]
	if len(list) == 0 {
		return "", 0
	}
	value, _ = list[len(list)-1].data[field].(string)
	return value, len(list)
}

// Delete deletes the newest version, or destroys it.
func (v *Vault) Delete(namespace, mount, path string, destroy bool) {
	v.w.mu.Lock()
	defer v.w.mu.Unlock()
	list := v.secrets[namespace+"|"+mount+"|"+path]
	last := list[len(list)-1]
	if last.deleted, last.destroyed = v.w.Now().UTC(), destroy; destroy {
		last.data = nil
	}
}

func (v *Vault) route(pattern, effect string, h func(*call) reply) {
	v.mux.Handle(pattern, v.handler(effect, h))
}

func (v *Vault) handler(effect string, h func(*call) reply) http.Handler {
	return v.w.serve("vault", vaultRefusal, func(c *call) reply {
		if c.r.Header.Get("X-Vault-Token") != v.token {
			return vaultRefusal(http.StatusForbidden)
		}
		c.entry.Actor, c.entry.Effect = ActorResponder, effect
		return h(c)
	})
}

func vaultRefusal(status int) reply {
	return vaultErrors(status, map[int]string{403: "permission denied", 503: "Vault is sealed", 404: ""}[status])
}

func vaultErrors(status int, text string) reply {
	list := []string{}
	if text != "" {
		list = append(list, text)
	}
	return reply{status: status, body: map[string]any{"errors": list}}
}

// find is the list of versions of the call's secret; false for a mount that is not there.
func (v *Vault) find(c *call) (string, []*vaultVersion, bool) {
	_, mounted := v.mounts[c.r.PathValue("mount")]
	at := strings.Trim(c.r.Header.Get("X-Vault-Namespace"), "/") + "|" + c.r.PathValue("mount") + "|" + c.r.PathValue("path")
	return at, v.secrets[at], mounted
}

func (o *vaultVersion) metadata(n int) map[string]any {
	deleted := ""
	if !o.deleted.IsZero() && !o.destroyed {
		deleted = stamp(o.deleted)
	}
	return map[string]any{"version": n, "created_time": stamp(o.created), "deletion_time": deleted, "destroyed": o.destroyed, "custom_metadata": nil}
}

func (v *Vault) read(c *call) reply {
	_, list, mounted := v.find(c)
	n := len(list)
	if text := c.r.URL.Query().Get("version"); text != "" && text != "0" {
		n, _ = strconv.Atoi(text)
	}
	if !mounted || n < 1 || n > len(list) {
		return vaultRefusal(http.StatusNotFound)
	}
	o := list[n-1]
	body := map[string]any{"data": o.data, "metadata": o.metadata(n)}
	if !o.deleted.IsZero() {
		body["data"] = nil
		return reply{status: http.StatusNotFound, body: map[string]any{"data": body}}
	}
	return ok(map[string]any{"data": body})
}

func (v *Vault) write(c *call) reply {
	at, list, mounted := v.find(c)
	if !mounted {
		return vaultRefusal(http.StatusNotFound)
	}
	var in struct {
		Options struct {
			CAS *int `json:"cas"`
		} `json:"options"`
		Data map[string]any `json:"data"`
	}
	if json.Unmarshal(c.body, &in) != nil || in.Data == nil {
		return vaultErrors(http.StatusBadRequest, "no data provided")
	}
	switch {
	case in.Options.CAS == nil && v.mounts[c.r.PathValue("mount")]:
		return vaultErrors(http.StatusBadRequest, "check-and-set parameter required for this call")
	case in.Options.CAS != nil && *in.Options.CAS != len(list):
		return vaultErrors(http.StatusBadRequest, "check-and-set parameter did not match the current version")
	}
	for _, field := range in.Data {
		if text, isText := field.(string); isText && v.w.holderOf(text) != nil {
			c.entry.Key = v.w.holderOf(text).ID
		}
	}
	o := &vaultVersion{data: in.Data, created: v.w.Now().UTC()}
	v.secrets[at] = append(list, o)
	return ok(map[string]any{"data": o.metadata(len(list) + 1)})
}
