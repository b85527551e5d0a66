package gcp

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"golang.org/x/oauth2"
	"google.golang.org/api/googleapi"
	"google.golang.org/api/option"
	sm "google.golang.org/api/secretmanager/v1"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/integrations/secretstores"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/outbound"
)

// Kind of dependent that this store serves.
const Kind = "gcp_secret"

const (
	enabled  = "ENABLED"
	maxValue = 64 << 10 // bytes, Google's limit
)

// Options configure the store.
type Options struct {
	Tokens    oauth2.TokenSource
	Endpoint  string // in place of Google's own
	Timeout   time.Duration
	Transport http.RoundTripper
}

// Store adds versions to secrets of Secret Manager.
type Store struct {
	api    *sm.Service
	tokens oauth2.TokenSource
}

var _ secretstores.Store = (*Store)(nil)

// New makes a store; it makes no call.
func New(ctx context.Context, o Options) (*Store, error) {
	if o.Tokens == nil {
		return nil, errors.New("no Google credentials were found: name them in secret_stores.gcp")
	}
	hc := outbound.Client(outbound.Options{Timeout: o.Timeout, Transport: o.Transport})
	hc.Transport = &oauth2.Transport{Source: oauth2.ReuseTokenSource(nil, o.Tokens), Base: hc.Transport}
	opts := []option.ClientOption{option.WithHTTPClient(hc), option.WithUserAgent("tourniquet")}
	if o.Endpoint != "" {
		opts = append(opts, option.WithEndpoint(o.Endpoint))
	}
	api, err := sm.NewService(ctx, opts...)
	if err != nil {
		return nil, errors.New("the Secret Manager client cannot be made: check secret_stores.gcp.endpoint")
	}
	return &Store{api: api, tokens: o.Tokens}, nil
}

// Kinds implements secretstores.Store.
func (s *Store) Kinds() []string { return []string{Kind} }

// Undo implements secretstores.Store.
func (s *Store) Undo() string { return "a version with the value of the one before is added" }

// Ready implements secretstores.Store: a token is to be had. Every question to Google would need a permission.
func (s *Store) Ready(context.Context) error {
	if _, err := s.tokens.Token(); err != nil {
		return keys.Permanent(errors.New("no Google token is to be had: check secret_stores.gcp"))
	}
	return nil
}

var (
	projectForm = regexp.MustCompile(`^[a-z0-9.:-]{1,100}$`)
	versionForm = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`) // a number, latest, or an alias
	nameForm    = regexp.MustCompile(`^[A-Za-z0-9_-]{1,255}$`)
)

func nameOf(d incident.Dependent) (string, error) {
	project, name := d.Address["project"], d.Address["name"]
	if !projectForm.MatchString(project) || strings.Trim(project, ".") == "" || !nameForm.MatchString(name) {
		return "", keys.Permanent(fmt.Errorf("dependent %q: %q in project %q is not the name of a Google secret", d.ID, name, project))
	}
	return "projects/" + project + "/secrets/" + name, nil
}

// latest is the newest version; nil when the secret has none. That the secret itself exists is asked for then.
func (s *Store) latest(ctx context.Context, name string) (*sm.SecretVersion, error) {
	got, err := s.api.Projects.Secrets.Versions.Get(name + "/versions/latest").Context(ctx).Do()
	if status(err) == http.StatusNotFound {
		_, err := s.api.Projects.Secrets.Get(name).Context(ctx).Do()
		return nil, fault("read Google secret "+name, err)
	}
	what := "read the latest version of Google secret " + name
	if err == nil && !strings.HasPrefix(got.Name, "projects/") {
		return nil, fmt.Errorf("%s: no usable answer from Google", what)
	}
	return got, fault(what, err)
}

func number(v *sm.SecretVersion) string {
	if v == nil {
		return "0"
	}
	return v.Name[strings.LastIndex(v.Name, "/")+1:]
}

// State implements secretstores.Store.
func (s *Store) State(ctx context.Context, d incident.Dependent) (secretstores.State, error) {
	name, err := nameOf(d)
	if err != nil {
		return secretstores.State{}, err
	}
	v, err := s.latest(ctx, name)
	if err != nil {
		return secretstores.State{}, err
	}
	st := secretstores.State{Fields: map[string]string{"exists": strconv.FormatBool(v != nil), "version": number(v)}}
	if v == nil {
		return st, nil
	}
	st.ChangedAt, _ = time.Parse(time.RFC3339Nano, v.CreateTime) // zero when Google does not tell
	st.Fields["state"] = v.State
	if v.State == enabled { // any other cannot be read, so it cannot be put back
		st.Undo, err = json.Marshal(secretstores.Version{Version: number(v)})
	}
	return st, err
}

// Update implements secretstores.Store.
func (s *Store) Update(ctx context.Context, d incident.Dependent, c secretstores.Change) (string, error) {
	name, err := nameOf(d)
	if err != nil {
		return "", err
	}
	return s.add(ctx, name, c.Value, c.Over)
}

// add makes one request and never another: what became of a lost one is seen in the versions.
func (s *Store) add(ctx context.Context, name string, value []byte, over map[string]string) (string, error) {
	if len(value) == 0 || len(value) > maxValue {
		return "", keys.Permanent(fmt.Errorf("update Google secret %s: the value has %d bytes; Google takes 1 to %d", name, len(value), maxValue))
	}
	v, err := s.latest(ctx, name)
	if err != nil {
		return "", err
	}
	if number(v) != over["version"] {
		return "", secretstores.Moved("Google secret " + name)
	}
	what := "add a version to Google secret " + name
	sum := int64(crc32.Checksum(value, crc32.MakeTable(crc32.Castagnoli)))
	made, err := s.api.Projects.Secrets.AddVersion(name, &sm.AddSecretVersionRequest{Payload: &sm.SecretPayload{
		Data: base64.StdEncoding.EncodeToString(value), DataCrc32c: sum, ForceSendFields: []string{"DataCrc32c"},
	}}).Context(ctx).Do()
	if err != nil {
		return "", fault(what, err)
	}
	if made.Name == "" {
		return "", fmt.Errorf("%s: Google's answer tells no version", what)
	}
	return "version:" + number(made), nil
}

// value reads one version and believes it only with its checksum.
func (s *Store) value(ctx context.Context, version string) ([]byte, error) {
	what := "read Google secret " + version
	got, err := s.api.Projects.Secrets.Versions.Access(version).Context(ctx).Do()
	if err != nil {
		return nil, fault(what, err)
	}
	if got.Payload == nil {
		return nil, fmt.Errorf("%s: Google's answer has no payload", what)
	}
	value, err := base64.StdEncoding.DecodeString(got.Payload.Data)
	if err != nil || int64(crc32.Checksum(value, crc32.MakeTable(crc32.Castagnoli))) != got.Payload.DataCrc32c {
		return nil, fmt.Errorf("%s: the value was damaged on its way", what)
	}
	return value, nil
}

// Restore implements secretstores.Store.
func (s *Store) Restore(ctx context.Context, d incident.Dependent, undo json.RawMessage, _ []byte, c secretstores.Change) (string, error) {
	name, err := nameOf(d)
	if err != nil {
		return "", err
	}
	var before secretstores.Version
	if err := json.Unmarshal(undo, &before); err != nil || before.Version == "" {
		return "", keys.Permanent(fmt.Errorf("google secret %s: the undo record names no version", name))
	}
	old, err := s.value(ctx, name+"/versions/"+before.Version)
	if err != nil {
		return "", err
	}
	defer clear(old)
	return s.add(ctx, name, old, c.Over)
}

// Holds implements secretstores.Store.
func (s *Store) Holds(ctx context.Context, d incident.Dependent, value []byte) (secretstores.Health, error) {
	name, err := nameOf(d)
	if err != nil {
		return secretstores.Health{}, err
	}
	v, err := s.latest(ctx, name)
	if err != nil {
		return secretstores.Health{}, err
	}
	if v == nil || v.State != enabled {
		return secretstores.Health{Detail: "Google secret " + name + " has no latest version that is enabled"}, nil
	}
	got, err := s.value(ctx, name+"/versions/"+number(v))
	if err != nil {
		return secretstores.Health{}, err
	}
	defer clear(got)
	return secretstores.Seen("version "+number(v)+" of Google secret "+name, true, got, value), nil
}

// Value implements secretstores.Reader: version is latest unless the address names one.
func (s *Store) Value(ctx context.Context, d incident.Dependent) ([]byte, error) {
	name, err := nameOf(d)
	if err != nil {
		return nil, err
	}
	version := cmp.Or(d.Address["version"], "latest")
	if !versionForm.MatchString(version) {
		return nil, keys.Permanent(fmt.Errorf("%q is no version of Google secret %s", version, name))
	}
	got, err := s.value(ctx, name+"/versions/"+version)
	if err != nil {
		return nil, err
	}
	return secretstores.FieldOf("Google secret "+name, string(got), d.Address["field"])
}

func status(err error) int {
	var answer *googleapi.Error
	if errors.As(err, &answer) {
		return answer.Code
	}
	return 0
}

func fault(what string, err error) error {
	if err == nil {
		return nil
	}
	if code := status(err); code != 0 {
		return secretstores.Answered(what, "Google", code, secretstores.Hint(code, "see docs/dependents.md for the role"))
	}
	return secretstores.Unanswered(what, "Google", err)
}
