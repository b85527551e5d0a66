package sandbox

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Kubernetes is a pretended API server: Secrets, and workloads whose rollout takes time. Objects are kept as JSON, as the
// real one shows them. Its state is guarded by the world's lock.
type Kubernetes struct {
	w       *World
	token   string
	mux     *http.ServeMux
	objects map[string]map[string]any // by resource/namespace/name
	rolling map[string]time.Time      // when the newest template of a workload was asked for
	rollout time.Duration
	version int64
	started func(KubernetesRollout) error
	pending []KubernetesRollout
	cert    tls.Certificate
}

// KubernetesRollout is what new pods see as they start: every Secret of their namespace.
type KubernetesRollout struct {
	Namespace, Workload string
	Secrets             map[string]string // by secret/field
}

// Kubernetes makes an API server of this world whose rollouts take a while. Every call makes another one: keep it.
func (w *World) Kubernetes(rollout time.Duration) *Kubernetes {
	k := &Kubernetes{
		w: w, token: "sandbox-" + randomText(lowerAlphabet, 32), mux: http.NewServeMux(), rollout: rollout, version: 100,
		objects: map[string]map[string]any{}, rolling: map[string]time.Time{}, cert: selfSigned(),
	}
	for _, base := range []string{"/api/v1/namespaces/{namespace}/{resource}", "/apis/apps/v1/namespaces/{namespace}/{resource}"} {
		k.route("GET "+base+"/{name}", EffectObserve, k.get)
		k.route("PATCH "+base+"/{name}", EffectUndoable, k.patch)
	}
	k.route("POST /apis/authentication.k8s.io/v1/selfsubjectreviews", EffectObserve, func(*call) reply {
		return reply{status: http.StatusCreated, body: map[string]any{
			"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview",
			"status": map[string]any{"userInfo": map[string]any{"username": "system:serviceaccount:tourniquet:tourniquet"}},
		}}
	})
	k.mux.Handle("/", k.handler("", func(*call) reply { return kubeStatus(http.StatusNotFound, "NotFound") }))
	return k
}

// Kubeconfig is the file by which a client finds this server at url.
func (k *Kubernetes) Kubeconfig(url string) string {
	return fmt.Sprintf(`apiVersion: v1
kind: Config
current-context: sandbox
clusters: [{name: sandbox, cluster: {server: %q, certificate-authority-data: %s}}]
users: [{name: tourniquet, user: {token: %q}}]
contexts: [{name: sandbox, context: {cluster: sandbox, user: tourniquet}}]
`, url, base64.StdEncoding.EncodeToString(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: k.cert.Certificate[0]})), k.token)
}

// TLS is the server's own: clients send no token to a Kubernetes without it.
func (k *Kubernetes) TLS() *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{k.cert}, MinVersion: tls.VersionTLS12}
}

// selfSigned is a certificate for the loopback address.
func selfSigned() tls.Certificate {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic("sandbox: no randomness for a key: " + err.Error())
	}
	t := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(240 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: []string{"localhost"},
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	raw, err := x509.CreateCertificate(rand.Reader, t, t, &key.PublicKey, key)
	if err != nil {
		panic("sandbox: no certificate: " + err.Error())
	}
	return tls.Certificate{Certificate: [][]byte{raw}, PrivateKey: key}
}

// Token is the bearer token that the server takes.
func (k *Kubernetes) Token() string { return k.token }

// OnRollout sets what new pods do as they start. It runs outside the lock.
func (k *Kubernetes) OnRollout(hook func(KubernetesRollout) error) {
	k.w.mu.Lock()
	defer k.w.mu.Unlock()
	k.started = hook
}

// SetSecret puts a Secret where a workload reads it. A field of it that is set again counts as another writer.
func (k *Kubernetes) SetSecret(namespace, name string, immutable bool, fields map[string]string) {
	k.w.mu.Lock()
	defer k.w.mu.Unlock()
	data := map[string]any{}
	for f, v := range fields {
		data[f] = base64.StdEncoding.EncodeToString([]byte(v))
	}
	o := k.object("v1", "Secret", namespace, name)
	o["type"], o["data"] = "Opaque", data
	if immutable {
		o["immutable"] = true
	}
	k.objects["secrets/"+namespace+"/"+name] = o
}

// Secret is what a field holds now: the world's judgement.
func (k *Kubernetes) Secret(namespace, name, field string) (string, bool) {
	k.w.mu.Lock()
	defer k.w.mu.Unlock()
	v, ok := k.secretsOf(namespace)[name+"/"+field]
	return v, ok
}

// AddWorkload starts one; resource is deployments, statefulsets or daemonsets.
func (k *Kubernetes) AddWorkload(resource, namespace, name string, replicas int, paused bool) {
	k.w.mu.Lock()
	defer k.w.mu.Unlock()
	kinds := map[string]string{"deployments": "Deployment", "statefulsets": "StatefulSet", "daemonsets": "DaemonSet"}
	o := k.object("apps/v1", kinds[resource], namespace, name)
	spec := map[string]any{"template": map[string]any{"metadata": map[string]any{}}}
	if resource != "daemonsets" {
		spec["replicas"] = replicas
	}
	if paused {
		spec["paused"] = true
	}
	o["spec"] = spec
	o["metadata"].(map[string]any)["generation"] = 1
	o["pods"] = replicas // ours, never shown
	k.objects[resource+"/"+namespace+"/"+name] = o
}

func (k *Kubernetes) object(group, kind, namespace, name string) map[string]any {
	k.version++
	return map[string]any{"apiVersion": group, "kind": kind, "metadata": map[string]any{
		"name": name, "namespace": namespace, "uid": randomUUID(), "resourceVersion": strconv.FormatInt(k.version, 10),
		"creationTimestamp": k.w.Now().UTC().Format(time.RFC3339),
	}}
}

func (k *Kubernetes) secretsOf(namespace string) map[string]string {
	out := map[string]string{}
	for at, o := range k.objects {
		name, ours := strings.CutPrefix(at, "secrets/"+namespace+"/")
		data, _ := o["data"].(map[string]any)
		for f, v := range data {
			if plain, err := base64.StdEncoding.DecodeString(fmt.Sprint(v)); ours && err == nil {
				out[name+"/"+f] = string(plain)
			}
		}
	}
	return out
}

// ServeHTTP implements http.Handler. Pods start before the answer of the request that asked for them is flushed.
func (k *Kubernetes) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	defer k.start()
	k.mux.ServeHTTP(rw, r)
}

func (k *Kubernetes) start() {
	k.w.mu.Lock()
	pending, hook := k.pending, k.started
	k.pending = nil
	k.w.mu.Unlock()
	for _, p := range pending {
		if hook != nil {
			_ = hook(p) // a pod that fails is seen by its health, not here
		}
	}
}

func (k *Kubernetes) route(pattern, effect string, h func(*call) reply) {
	k.mux.Handle(pattern, k.handler(effect, h))
}

func (k *Kubernetes) handler(effect string, h func(*call) reply) http.Handler {
	refuse := func(status int) reply { return kubeStatus(status, http.StatusText(status)) }
	return k.w.serve("kubernetes", refuse, func(c *call) reply {
		if c.r.Header.Get("Authorization") != "Bearer "+k.token {
			return kubeStatus(http.StatusUnauthorized, "Unauthorized")
		}
		c.entry.Actor, c.entry.Effect = ActorResponder, effect
		return h(c)
	})
}

// kubeStatus is how the API server words every refusal.
func kubeStatus(code int, reason string) reply {
	return reply{status: code, body: map[string]any{
		"kind": "Status", "apiVersion": "v1", "metadata": map[string]any{}, "status": "Failure",
		"message": "the sandbox refuses: " + reason, "reason": reason, "code": code,
	}}
}

func (k *Kubernetes) find(c *call) (string, map[string]any) {
	at := c.r.PathValue("resource") + "/" + c.r.PathValue("namespace") + "/" + c.r.PathValue("name")
	o := k.objects[at]
	core := strings.HasPrefix(c.r.URL.Path, "/api/v1/")
	if core != strings.HasPrefix(at, "secrets/") {
		return at, nil
	}
	return at, o
}

func (k *Kubernetes) get(c *call) reply {
	at, o := k.find(c)
	if o == nil {
		return kubeStatus(http.StatusNotFound, "NotFound")
	}
	return ok(k.shown(at, o))
}

var secretField = regexp.MustCompile(`^[-._a-zA-Z0-9]{1,253}$`)

func (k *Kubernetes) patch(c *call) reply {
	at, o := k.find(c)
	if o == nil {
		return kubeStatus(http.StatusNotFound, "NotFound")
	}
	switch c.r.Header.Get("Content-Type") {
	case "application/merge-patch+json", "application/strategic-merge-patch+json":
	default:
		return kubeStatus(http.StatusUnsupportedMediaType, "UnsupportedMediaType")
	}
	var change map[string]any
	if json.Unmarshal(c.body, &change) != nil || change == nil {
		return kubeStatus(http.StatusBadRequest, "BadRequest")
	}
	old, _ := json.Marshal(o)
	next := mergePatch(clone(o), change).(map[string]any)
	meta, _ := next["metadata"].(map[string]any)
	was := o["metadata"].(map[string]any)
	switch {
	case meta["resourceVersion"] != was["resourceVersion"]:
		return kubeStatus(http.StatusConflict, "Conflict")
	case meta["name"] != was["name"] || meta["uid"] != was["uid"]:
		return kubeStatus(http.StatusUnprocessableEntity, "Invalid")
	}
	if refusal, good := k.secretAllowed(c, o, next); !good {
		return refusal
	}
	if now, _ := json.Marshal(next); bytes.Equal(old, now) {
		return ok(k.shown(at, o)) // nothing changed: the same version, no rollout
	}
	k.version++
	meta["resourceVersion"] = strconv.FormatInt(k.version, 10)
	if o["spec"] != nil && fmt.Sprint(o["spec"]) != fmt.Sprint(next["spec"]) {
		generation, _ := strconv.Atoi(fmt.Sprint(was["generation"]))
		meta["generation"] = generation + 1
		k.rolled(c, at, next)
	}
	k.objects[at] = next
	return ok(k.shown(at, next))
}

// secretAllowed refuses what the API server refuses of a Secret.
func (k *Kubernetes) secretAllowed(c *call, o, next map[string]any) (reply, bool) {
	if o["kind"] != "Secret" {
		return reply{}, true
	}
	data, _ := next["data"].(map[string]any)
	if o["immutable"] == true && fmt.Sprint(o["data"]) != fmt.Sprint(data) {
		return kubeStatus(http.StatusUnprocessableEntity, "Invalid"), false
	}
	for f, v := range data {
		plain, err := base64.StdEncoding.DecodeString(fmt.Sprint(v))
		if err != nil || !secretField.MatchString(f) {
			return kubeStatus(http.StatusBadRequest, "BadRequest"), false
		}
		if key := k.w.holderOf(string(plain)); key != nil {
			c.entry.Key = key.ID
		}
	}
	return reply{}, true
}

// rolled starts a rollout. A paused deployment takes the change and does nothing.
func (k *Kubernetes) rolled(c *call, at string, next map[string]any) {
	if spec := next["spec"].(map[string]any); spec["paused"] == true {
		return
	}
	k.rolling[at] = k.w.Now()
	k.pending = append(k.pending, KubernetesRollout{
		Namespace: c.r.PathValue("namespace"), Workload: c.r.PathValue("name"), Secrets: k.secretsOf(c.r.PathValue("namespace")),
	})
}
