package rehearse

import (
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/tourniquet-ir/tourniquet/internal/diag"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

// Alert is an alert in our words together with the key that it leads to: what key.identify would find.
type Alert struct {
	incident.Alert
	Found  incident.Key
	HasKey bool
}

// ReadAlert reads a file that holds one alert, as YAML or JSON, or a test file that has an alert.
func ReadAlert(name string, body []byte, now time.Time) (Alert, []diag.Fault) {
	r := &reader{file: name, left: maxNodes}
	a := blankAlert(now)
	if root := r.document(body); root != nil {
		if root.Kind == yaml.MappingNode {
			for i := 0; i+1 < len(root.Content); i += 2 {
				if root.Content[i].Value == "alert" {
					root = root.Content[i+1]
					break
				}
			}
		}
		a = r.alert(root, now)
	}
	return a, diag.Sort(r.faults)
}

// blankAlert is what an alert says that names nothing.
func blankAlert(now time.Time) Alert {
	return Alert{Alert: incident.Alert{
		ID: "alert-1", Source: "test", Trust: incident.TrustAct, Severity: "high", Title: "An alert", Fingerprint: "alert-1",
		ObservedAt: now, ReceivedAt: now, FindingDigest: "sha256:0",
	}}
}

func (r *reader) alert(n *yaml.Node, now time.Time) Alert {
	a := blankAlert(now)
	words := map[string]*string{"id": &a.ID, "source": &a.Source, "kind": &a.Kind, "title": &a.Title, "fingerprint": &a.Fingerprint, "finding_digest": &a.FindingDigest}
	allowed := []string{"id", "source", "trust", "kind", "severity", "title", "fingerprint", "finding_digest", "observed_at", "received_at", "key", "links"}
	for _, e := range r.fields(n, "an alert", allowed) {
		switch e.name {
		case "trust":
			a.Trust = r.oneOf(e.val, "trust", incident.TrustAct, incident.TrustTell)
		case "severity":
			a.Severity = r.oneOf(e.val, "severity", "low", "medium", "high", "critical")
		case "observed_at":
			a.ObservedAt = r.time(e.val, "observed_at")
		case "received_at":
			a.ReceivedAt = r.time(e.val, "received_at")
		case "links":
			a.Links = r.texts(e.val, "links")
		case "key":
			a.Found, a.HasKey = r.key(e.val, &a.Key), true
		default:
			*words[e.name] = r.text(e.val, e.name)
		}
	}
	if a.Kind == "" {
		r.err(at(n), "missing-key", "as kind: key.leaked", "an alert needs the key %q", "kind")
	}
	return a
}

// key reads both what an alert says of a key and what would be found.
func (r *reader) key(n *yaml.Node, clue *incident.Clue) incident.Key {
	k := incident.Key{Dependents: []incident.Dependent{}}
	words := map[string]*string{"provider": &k.Provider, "account": &k.Account, "project": &k.Project, "id": &k.ID, "uid": &k.UID, "name": &k.Name,
		"hint": &k.Hint, "owner": &k.Owner, "owner_kind": &k.OwnerKind}
	allowed := []string{"provider", "account", "project", "id", "uid", "name", "hint", "owner", "owner_kind", "critical", "dependents", "secret_hash", "secret", "where"}
	for _, e := range r.fields(n, "a key", allowed) {
		switch e.name {
		case "critical":
			k.Critical = r.yes(e.val, "critical")
		case "dependents":
			for _, d := range r.list(e.val, "dependents") {
				k.Dependents = append(k.Dependents, r.dependent(d))
			}
		case "secret": // an alert of the records may carry its handle; it leads nowhere here
			r.value(e.val, 0)
		case "secret_hash":
			clue.SecretHash = r.text(e.val, "secret_hash")
		case "where":
			clue.Where = r.text(e.val, "where")
		default:
			*words[e.name] = r.text(e.val, e.name)
		}
	}
	clue.Provider, clue.Account, clue.ID, clue.Hint = k.Provider, k.Account, k.ID, k.Hint
	return k
}

func (r *reader) dependent(n *yaml.Node) incident.Dependent {
	d := incident.Dependent{}
	for _, e := range r.fields(n, "a dependent", []string{"id", "kind", "address", "redeploy", "check"}) {
		switch e.name {
		case "id":
			d.ID = r.text(e.val, "id")
		case "kind":
			d.Kind = r.text(e.val, "kind")
		case "address":
			d.Address = r.words(e.val, "address")
		case "redeploy":
			d.Redeploy = r.words(e.val, "redeploy")
		case "check":
			d.Check = r.words(e.val, "check")
		}
	}
	if d.ID == "" || d.Kind == "" {
		r.err(at(n), "missing-key", "as { id: shop, kind: github_actions_secret }", "a dependent needs an id and a kind")
	}
	return d
}

func (r *reader) words(n *yaml.Node, what string) map[string]string {
	out := map[string]string{}
	for _, e := range r.fields(n, what, nil) {
		out[e.name] = r.text(e.val, what+"."+e.name)
	}
	return out
}
