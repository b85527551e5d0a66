package config

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"
)

// Reference is a secret in a store: the address of a dependent of that store, and a field of it.
type Reference struct {
	Store   string            // vault, awssm or gcpsm
	Address map[string]string // as an inventory writes it: mount, path, field, namespace; region, name, field; project, name, version, field
}

// stores are the schemes of stores, each with its form.
var stores = map[string]struct {
	form string
	read func(path string, r Reference) bool
	asks []string // what may follow a question mark
}{
	"vault": {"vault://MOUNT/PATH#FIELD", vaultReference, []string{"namespace"}},
	"awssm": {"awssm://NAME-OR-ARN, with #FIELD for one field of a JSON object and ?region=REGION", awsReference, []string{"region"}},
	"gcpsm": {"gcpsm://projects/PROJECT/secrets/NAME, with /versions/N and, for one field of a JSON object, #FIELD", gcpReference, nil},
}

// plainText is all that a name in a store may hold: what else could be in a reference is a mistake, or somebody's attempt.
var plainText = regexp.MustCompile(`^[A-Za-z0-9/_+=.@:-]+$`)

// reference takes a reference to a store apart. It never repeats what was written.
func (s Secret) reference() (Reference, error) {
	scheme, rest, _ := strings.Cut(string(s), "://")
	store, known := stores[scheme]
	if !known {
		return Reference{}, errors.New("it leads to no store")
	}
	wrong := fmt.Errorf("a reference to this store looks like %s", store.form)
	rest, field, hasField := strings.Cut(rest, "#")
	rest, query, _ := strings.Cut(rest, "?")
	if hasField && (field == "" || len(field) > 256 || strings.ContainsAny(field, "#?\r\n")) || len(rest) > 2048 || !plainText.MatchString(rest) || strings.Contains("/"+rest+"/", "//") {
		return Reference{}, wrong
	}
	r := Reference{Store: scheme, Address: map[string]string{"field": field}}
	asked, err := url.ParseQuery(query)
	if err != nil {
		return Reference{}, wrong
	}
	for _, name := range store.asks {
		if v := asked.Get(name); len(asked[name]) == 1 && len(v) <= 256 && plainText.MatchString(v) {
			r.Address[name] = v
			asked.Del(name)
		}
	}
	if len(asked) > 0 || !store.read(rest, r) {
		return Reference{}, wrong
	}
	return r, nil
}

func vaultReference(path string, r Reference) bool {
	mount, rest, ok := strings.Cut(path, "/")
	for part := range strings.SplitSeq(path, "/") {
		ok = ok && part != "." && part != ".."
	}
	r.Address["mount"], r.Address["path"] = mount, rest
	return ok && r.Address["field"] != ""
}

// awsReference takes the region from an ARN, arn:PARTITION:secretsmanager:REGION:ACCOUNT:secret:NAME, unless it is told.
func awsReference(name string, r Reference) bool {
	r.Address["name"] = name
	if !strings.HasPrefix(name, "arn:") {
		return true
	}
	parts := strings.SplitN(name, ":", 7)
	if len(parts) != 7 || parts[2] != "secretsmanager" || parts[5] != "secret" || parts[6] == "" {
		return false
	}
	if r.Address["region"] == "" {
		r.Address["region"] = parts[3]
	}
	return true
}

func gcpReference(name string, r Reference) bool {
	parts := strings.Split(name, "/")
	if len(parts) == 4 {
		parts = append(parts, "versions", "latest")
	}
	if len(parts) != 6 || parts[0] != "projects" || parts[2] != "secrets" || parts[4] != "versions" {
		return false
	}
	r.Address["project"], r.Address["name"], r.Address["version"] = parts[1], parts[3], parts[5]
	return true
}
