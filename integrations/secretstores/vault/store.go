package vault

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/vault/api"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/integrations/secretstores"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/outbound"
)

// Kind of dependent that this store serves.
const Kind = "vault_kv"

// maxValue is in bytes: Vault's smallest backend keeps half a MiB for a whole secret.
const maxValue = 256 << 10

// Options configure the store.
type Options struct {
	Address   string                 // https://vault.example.com:8200
	Token     func() (string, error) // asked for every call: agents renew tokens in files
	Timeout   time.Duration
	Transport http.RoundTripper
}

// Store writes fields of KV version 2 secrets.
type Store struct {
	client *api.Client
	token  func() (string, error)
}

var _ secretstores.Store = (*Store)(nil)

// New checks the options and makes a store; it makes no call.
func New(o Options) (*Store, error) {
	u, err := url.Parse(o.Address)
	if err != nil || u.Host == "" || u.User != nil || (u.Scheme != "https" && u.Scheme != "http") {
		return nil, errors.New("the Vault address must look like https://vault.example.com:8200")
	}
	hc := outbound.Client(outbound.Options{Timeout: o.Timeout, Transport: o.Transport})
	hc.Transport = outbound.Honest(outbound.Home(hc.Transport), func(fields map[string]json.RawMessage) bool { return outbound.Says(fields, "errors") })
	client, err := api.NewClient(&api.Config{Address: o.Address, HttpClient: hc, Timeout: hc.Timeout, MaxRetries: 0, DisableRedirects: true})
	if err != nil {
		return nil, errors.New("the Vault client cannot be made from this address and environment")
	}
	client.ClearToken() // the library takes VAULT_TOKEN and VAULT_NAMESPACE by itself; ours come from the configuration
	client.ClearNamespace()
	client.SetMaxRetries(0)
	return &Store{client: client, token: o.Token}, nil
}

// Kinds implements secretstores.Store.
func (s *Store) Kinds() []string { return []string{Kind} }

// Undo implements secretstores.Store.
func (s *Store) Undo() string { return "the field gets the value that it had in the version before" }

// Ready implements secretstores.Store: the token looks at itself.
func (s *Store) Ready(ctx context.Context) error {
	const what = "look at the Vault token"
	c, err := s.as("", what)
	if err != nil {
		return err
	}
	got, err := c.Auth().Token().LookupSelfWithContext(ctx)
	if err == nil && (got == nil || got.Data["policies"] == nil) {
		return fmt.Errorf("%s: no usable answer from Vault", what)
	}
	return fault(what, err)
}

// place is one field of one secret.
type place struct{ namespace, mount, path, field string }

func (p place) String() string { return "Vault secret " + p.mount + "/" + p.path }

func placeOf(d incident.Dependent) (place, error) {
	p := place{d.Address["namespace"], d.Address["mount"], d.Address["path"], d.Address["field"]}
	if err := secretstores.Need(d, "mount", "path", "field"); err != nil {
		return place{}, err
	}
	for _, s := range []string{p.mount, p.path} {
		if s != strings.Trim(path.Clean("/"+s), "/") || strings.ContainsAny(s, "?#%\\ \r\n") {
			return place{}, keys.Permanent(fmt.Errorf("dependent %q: %q is not a plain path in Vault", d.ID, s))
		}
	}
	return p, nil
}

// as is a client with the token of now, in a namespace.
func (s *Store) as(namespace, what string) (*api.Client, error) {
	token, err := s.token()
	if err != nil {
		return nil, keys.Permanent(fmt.Errorf("%s: %w", what, err))
	}
	c := s.client.WithNamespace(namespace)
	c.SetToken(token)
	return c, nil
}

// current is the newest version; nil when nothing was ever written. A deleted version has no data.
func (s *Store) current(ctx context.Context, p place) (*api.KVSecret, error) {
	what := "read " + p.String()
	c, err := s.as(p.namespace, what)
	if err != nil {
		return nil, err
	}
	got, err := c.KVv2(p.mount).Get(ctx, p.path)
	if errors.Is(err, api.ErrSecretNotFound) {
		return nil, nil
	}
	if err == nil && got.VersionMetadata == nil {
		return nil, fmt.Errorf("%s: Vault's answer tells no version; is %q a KV version 2 mount?", what, p.mount)
	}
	return got, fault(what, err)
}

// State implements secretstores.Store.
func (s *Store) State(ctx context.Context, d incident.Dependent) (secretstores.State, error) {
	p, err := placeOf(d)
	if err != nil {
		return secretstores.State{}, err
	}
	got, err := s.current(ctx, p)
	if err != nil {
		return secretstores.State{}, err
	}
	if got == nil {
		return secretstores.State{Fields: map[string]string{"exists": "false", "version": "0"}}, nil
	}
	v := strconv.Itoa(got.VersionMetadata.Version)
	_, has := got.Data[p.field]
	st := secretstores.State{
		Fields:    map[string]string{"exists": strconv.FormatBool(has), "version": v},
		ChangedAt: got.VersionMetadata.CreatedTime,
	}
	if got.Data != nil { // a deleted version cannot be read, so it cannot be put back
		st.Undo, err = json.Marshal(secretstores.Version{Version: v})
	}
	return st, err
}

// Update implements secretstores.Store: the other fields stay, and Vault itself refuses to write over another version.
func (s *Store) Update(ctx context.Context, d incident.Dependent, c secretstores.Change) (string, error) {
	p, err := placeOf(d)
	if err != nil {
		return "", err
	}
	if len(c.Value) == 0 || len(c.Value) > maxValue {
		return "", keys.Permanent(fmt.Errorf("update %s: the value has %d bytes; 1 to %d can be kept", p, len(c.Value), maxValue))
	}
	return s.write(ctx, p, c.Over, func(fields map[string]any) { fields[p.field] = string(c.Value) })
}

func (s *Store) write(ctx context.Context, p place, over map[string]string, change func(map[string]any)) (string, error) {
	got, err := s.current(ctx, p)
	if err != nil {
		return "", err
	}
	version, fields := 0, map[string]any{}
	if got != nil {
		version = got.VersionMetadata.Version
		maps.Copy(fields, got.Data)
	}
	if over["version"] != strconv.Itoa(version) {
		return "", secretstores.Moved(p.String())
	}
	change(fields)
	what := "write " + p.String()
	client, err := s.as(p.namespace, what)
	if err != nil {
		return "", err
	}
	made, err := client.KVv2(p.mount).Put(ctx, p.path, fields, api.WithCheckAndSet(version))
	switch {
	case mismatch(err):
		return "", secretstores.Moved(p.String())
	case err != nil:
		return "", fault(what, err)
	case made == nil || made.VersionMetadata == nil:
		return "", fmt.Errorf("%s: Vault's answer tells no version", what)
	}
	return fmt.Sprintf("version:%d", made.VersionMetadata.Version), nil
}

// Restore implements secretstores.Store.
func (s *Store) Restore(ctx context.Context, d incident.Dependent, undo json.RawMessage, _ []byte, c secretstores.Change) (string, error) {
	p, err := placeOf(d)
	if err != nil {
		return "", err
	}
	var before secretstores.Version
	n := 0
	if json.Unmarshal(undo, &before) == nil {
		n, _ = strconv.Atoi(before.Version)
	}
	if n < 1 {
		return "", keys.Permanent(fmt.Errorf("%s: the undo record names no version", p))
	}
	what := fmt.Sprintf("read version %d of %s", n, p)
	client, err := s.as(p.namespace, what)
	if err != nil {
		return "", err
	}
	old, err := client.KVv2(p.mount).GetVersion(ctx, p.path, n)
	if errors.Is(err, api.ErrSecretNotFound) || err == nil && old.Data == nil {
		return "", keys.Permanent(fmt.Errorf("%s: it was deleted or destroyed, so it cannot be put back", what))
	}
	if err != nil {
		return "", fault(what, err)
	}
	return s.write(ctx, p, c.Over, func(fields map[string]any) {
		if v, had := old.Data[p.field]; had {
			fields[p.field] = v
		} else {
			delete(fields, p.field)
		}
	})
}

// Holds implements secretstores.Store.
func (s *Store) Holds(ctx context.Context, d incident.Dependent, value []byte) (secretstores.Health, error) {
	p, err := placeOf(d)
	if err != nil {
		return secretstores.Health{}, err
	}
	got, err := s.current(ctx, p)
	if err != nil {
		return secretstores.Health{}, err
	}
	if got == nil || got.Data == nil {
		return secretstores.Health{Detail: p.String() + " has no version that can be read"}, nil
	}
	text, has := got.Data[p.field].(string)
	return secretstores.Seen(fmt.Sprintf("version %d of %s", got.VersionMetadata.Version, p), has, []byte(text), value), nil
}

// Value implements secretstores.Reader.
func (s *Store) Value(ctx context.Context, d incident.Dependent) ([]byte, error) {
	p, err := placeOf(d)
	if err != nil {
		return nil, err
	}
	got, err := s.current(ctx, p)
	if err != nil {
		return nil, err
	}
	if got == nil || got.Data == nil {
		return nil, keys.Permanent(fmt.Errorf("%s has no version that can be read", p))
	}
	text, is := got.Data[p.field].(string)
	if !is {
		return nil, keys.Permanent(fmt.Errorf("%s has no field %q that is text", p, p.field))
	}
	return []byte(text), nil
}

// mismatch is Vault's answer to a check-and-set that does not fit. It comes as 400, as everything wrong does.
func mismatch(err error) bool {
	var answer *api.ResponseError
	return errors.As(err, &answer) && answer.StatusCode == http.StatusBadRequest &&
		strings.Contains(strings.Join(answer.Errors, " "), "did not match the current version")
}

func fault(what string, err error) error {
	var answer *api.ResponseError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &answer):
		hint := secretstores.Hint(answer.StatusCode, "see docs/dependents.md for the policy")
		if answer.StatusCode == http.StatusServiceUnavailable {
			hint = "Vault is sealed or in maintenance"
		}
		return secretstores.Answered(what, "Vault", answer.StatusCode, hint)
	}
	return secretstores.Unanswered(what, "Vault", err)
}
