package sandbox

import (
	"encoding/base64"
	"fmt"
	"hash/crc32"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// GCPSecrets is a pretended Google Secret Manager v1. It takes the world's admin token. Its state is guarded by the world's
// lock.
type GCPSecrets struct {
	w       *World
	mux     *http.ServeMux
	secrets map[string][]*gcpVersion // by project/name
}

type gcpVersion struct {
	value   []byte
	created time.Time
	state   string
}

// GCPSecrets makes a Secret Manager of this world. Every call makes another one: keep it.
func (w *World) GCPSecrets() *GCPSecrets {
	g := &GCPSecrets{w: w, mux: http.NewServeMux(), secrets: map[string][]*gcpVersion{}}
	g.route("GET /v1/projects/{project}/secrets", EffectObserve, func(*call) reply { return ok(map[string]any{"totalSize": len(g.secrets)}) })
	g.route("GET /v1/projects/{project}/secrets/{name}", EffectObserve, g.with(func(c *call, _ []*gcpVersion) reply {
		return ok(map[string]any{"name": strings.TrimPrefix(c.r.URL.Path, "/v1/"), "replication": map[string]any{"automatic": map[string]any{}}})
	}))
	g.route("POST /v1/projects/{project}/secrets/{verb}", EffectUndoable, g.add)
	g.route("GET /v1/projects/{project}/secrets/{name}/versions/{version}", EffectObserve, g.with(g.version))
	g.mux.Handle("/", g.handler("", func(*call) reply { return googleRefusal(http.StatusNotFound) }))
	return g
}

// ServeHTTP implements http.Handler.
func (g *GCPSecrets) ServeHTTP(rw http.ResponseWriter, r *http.Request) { g.mux.ServeHTTP(rw, r) }

// SetSecret adds a version, as somebody else would; without a value the secret has none.
func (g *GCPSecrets) SetSecret(project, name, value string) {
	g.w.mu.Lock()
	defer g.w.mu.Unlock()
	list := g.secrets[project+"/"+name]
	if value != "" {
		list = append(list, &gcpVersion{value: []byte(value), created: g.w.Now().UTC(), state: "ENABLED"})
	}
	g.secrets[project+"/"+name] = list
}

// Secret is the value of the newest version and its number: the world's judgement.
func (g *GCPSecrets) Secret(project, name string) (value string, version int) {
	g.w.mu.Lock()
	defer g.w.mu.Unlock()
	list := g.secrets[project+"/"+name]
	if len(list) == 0 {
		return "", 0
	}
	return string(list[len(list)-1].value), len(list)
}

// Disable switches the newest version off.
func (g *GCPSecrets) Disable(project, name string) {
	g.w.mu.Lock()
	defer g.w.mu.Unlock()
	list := g.secrets[project+"/"+name]
	list[len(list)-1].state = "DISABLED"
}

func (g *GCPSecrets) route(pattern, effect string, h func(*call) reply) {
	g.mux.Handle(pattern, g.handler(effect, h))
}

func (g *GCPSecrets) handler(effect string, h func(*call) reply) http.Handler {
	return g.w.serve("secretmanager", googleRefusal, func(c *call) reply {
		if c.r.Header.Get("Authorization") != "Bearer "+g.w.opt.Admin {
			return googleRefusal(http.StatusUnauthorized)
		}
		c.entry.Actor, c.entry.Effect = ActorResponder, effect
		return h(c)
	})
}

func (g *GCPSecrets) with(h func(*call, []*gcpVersion) reply) func(*call) reply {
	return func(c *call) reply {
		list, there := g.secrets[c.r.PathValue("project")+"/"+c.r.PathValue("name")]
		if !there {
			return googleRefusal(http.StatusNotFound)
		}
		return h(c, list)
	}
}

func (g *GCPSecrets) add(c *call) reply {
	name, verb, _ := strings.Cut(c.r.PathValue("verb"), ":")
	at := c.r.PathValue("project") + "/" + name
	list, there := g.secrets[at]
	if !there || verb != "addVersion" {
		return googleRefusal(http.StatusNotFound)
	}
	var in struct {
		Payload struct {
			Data string `json:"data"`
			Sum  string `json:"dataCrc32c"`
		} `json:"payload"`
	}
	if refused := decodeGoogle(c.body, &in); refused != nil {
		return *refused
	}
	value, err := base64.StdEncoding.DecodeString(in.Payload.Data)
	if err != nil || len(value) == 0 || len(value) > 64<<10 {
		return googleRefusal(http.StatusBadRequest)
	}
	if in.Payload.Sum != "" && in.Payload.Sum != checksum(value) {
		return googleError(http.StatusBadRequest, "The checksum of the payload does not match.", "")
	}
	if k := g.w.holderOf(string(value)); k != nil {
		c.entry.Key = k.ID
	}
	v := &gcpVersion{value: value, created: g.w.Now().UTC(), state: "ENABLED"}
	g.secrets[at] = append(list, v)
	return ok(g.shown(c.r.PathValue("project"), name, v, len(list)+1))
}

func checksum(value []byte) string {
	return strconv.FormatInt(int64(crc32.Checksum(value, crc32.MakeTable(crc32.Castagnoli))), 10)
}

func (g *GCPSecrets) shown(project, name string, v *gcpVersion, n int) map[string]any {
	return map[string]any{
		"name": fmt.Sprintf("projects/%s/secrets/%s/versions/%d", project, name, n), "createTime": stamp(v.created), "state": v.state,
		"etag": fmt.Sprintf("%q", strconv.Itoa(n)),
	}
}

// version is one version, or its value.
func (g *GCPSecrets) version(c *call, list []*gcpVersion) reply {
	text, access := strings.CutSuffix(c.r.PathValue("version"), ":access")
	n := len(list)
	if text != "latest" {
		n, _ = strconv.Atoi(text)
	}
	if n < 1 || n > len(list) {
		return googleRefusal(http.StatusNotFound)
	}
	v := list[n-1]
	shown := g.shown(c.r.PathValue("project"), c.r.PathValue("name"), v, n)
	if !access {
		return ok(shown)
	}
	if v.state != "ENABLED" {
		return preconditionFailed("Secret Version [" + fmt.Sprint(shown["name"]) + "] is in " + v.state + " state.")
	}
	return ok(map[string]any{"name": shown["name"], "payload": map[string]any{
		"data": base64.StdEncoding.EncodeToString(v.value), "dataCrc32c": checksum(v.value),
	}})
}
