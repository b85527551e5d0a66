package github

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"golang.org/x/crypto/nacl/box"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/integrations/secretstores"
	"github.com/tourniquet-ir/tourniquet/integrations/tickets/github/api"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

// maxValue is GitHub's limit for the value of a secret, in bytes (docs: 48 KB).
const maxValue = 48 << 10

const (
	pageSize = 100
	maxPages = 50
)

// Store writes secrets of GitHub and dispatches workflows.
type Store struct{ api *api.Client }

var (
	_ secretstores.Store    = (*Store)(nil)
	_ secretstores.Deployer = (*Store)(nil)
)

// New returns a store.
func New(c *api.Client) *Store { return &Store{api: c} }

// Kinds implements secretstores.Store.
func (s *Store) Kinds() []string { return allKinds() }

// Undo is empty: GitHub never gives the old value back.
func (s *Store) Undo() string { return "" }

// Ready implements secretstores.Store.
func (s *Store) Ready(ctx context.Context) error {
	_, err := s.api.Login(ctx)
	return err
}

type secret struct {
	UpdatedAt  time.Time `json:"updated_at"`
	Visibility string    `json:"visibility"` // of an organisation's secret: all, private or selected
}

func (s *Store) read(ctx context.Context, p place) (got secret, err error) {
	_, err = s.api.Call(ctx, "read "+p.String(), http.MethodGet, p.path(p.name), nil, &got)
	if err == nil && got.UpdatedAt.IsZero() {
		err = fmt.Errorf("read %s: no usable answer from GitHub", p)
	}
	return got, err
}

// State implements secretstores.Store. A secret that does not exist yet is a state, not an error, as long as the
// place itself can be seen.
func (s *Store) State(ctx context.Context, d incident.Dependent) (secretstores.State, error) {
	p, err := placeOf(d)
	if err != nil {
		return secretstores.State{}, err
	}
	got, err := s.read(ctx, p)
	if api.IsStatus(err, http.StatusNotFound) {
		if _, kerr := s.publicKey(ctx, p); kerr != nil {
			return secretstores.State{}, kerr
		}
		return secretstores.State{Fields: map[string]string{"exists": "false", "updated_at": ""}}, nil
	}
	if err != nil {
		return secretstores.State{}, err
	}
	fields := map[string]string{"exists": "true", "updated_at": got.UpdatedAt.UTC().Format(time.RFC3339)}
	if p.kind == KindOrganization {
		fields["visibility"] = got.Visibility
	}
	return secretstores.State{Fields: fields, ChangedAt: got.UpdatedAt}, nil
}

// Update implements secretstores.Store. GitHub cannot write under a condition: Over is what the caller has just read.
// Repeating it writes the same value again, which is harmless.
func (s *Store) Update(ctx context.Context, d incident.Dependent, c secretstores.Change) (string, error) {
	p, err := placeOf(d)
	if err != nil {
		return "", err
	}
	if len(c.Value) == 0 || len(c.Value) > maxValue {
		return "", keys.Permanent(fmt.Errorf("update %s: the value has %d bytes; GitHub takes 1 to %d", p, len(c.Value), maxValue))
	}
	body := map[string]any{}
	if p.kind == KindOrganization {
		if err := s.keepVisibility(ctx, p, body); err != nil {
			return "", err
		}
	}
	return s.put(ctx, p, c.Value, body)
}

// keepVisibility puts what an organisation's secret is visible to into the write: one without it would change that.
func (s *Store) keepVisibility(ctx context.Context, p place, body map[string]any) error {
	got, err := s.read(ctx, p)
	if api.IsStatus(err, http.StatusNotFound) {
		return keys.Permanent(fmt.Errorf("write %s: it does not exist yet, and who may see it is not ours to choose: make it first", p))
	}
	if err != nil {
		return err
	}
	body["visibility"] = got.Visibility
	if got.Visibility != "selected" {
		return nil
	}
	ids := []int64{}
	for page := 1; page <= maxPages; page++ {
		var list struct {
			Repositories []struct {
				ID int64 `json:"id"`
			} `json:"repositories"`
		}
		path := fmt.Sprintf("%s?per_page=%d&page=%d", p.path(p.name, "repositories"), pageSize, page)
		if _, err := s.api.Call(ctx, "read the repositories of "+p.String(), http.MethodGet, path, nil, &list); err != nil {
			return err
		}
		for _, r := range list.Repositories {
			ids = append(ids, r.ID)
		}
		if len(list.Repositories) < pageSize {
			body["selected_repository_ids"] = ids
			return nil
		}
	}
	return keys.Permanent(fmt.Errorf("write %s: it is visible to more than %d repositories, which cannot be kept", p, pageSize*maxPages))
}

// put seals the value for GitHub's current public key. GitHub answers 422 when that key was changed between our
// read and our write, so the key is read once more before giving up.
func (s *Store) put(ctx context.Context, p place, value []byte, body map[string]any) (string, error) {
	var err error
	for range 2 {
		var pub publicKey
		if pub, err = s.publicKey(ctx, p); err != nil {
			return "", err
		}
		var sealed []byte
		if sealed, err = box.SealAnonymous(nil, value, &pub.bytes, rand.Reader); err != nil {
			return "", errors.New("the value cannot be sealed for GitHub: no randomness")
		}
		body["encrypted_value"], body["key_id"] = base64.StdEncoding.EncodeToString(sealed), pub.id
		var status int
		status, err = s.api.Call(ctx, "write "+p.String(), http.MethodPut, p.path(p.name), body, nil)
		if err == nil {
			return fmt.Sprintf("secret:%d", status), nil
		}
		if !api.IsStatus(err, http.StatusUnprocessableEntity) {
			break
		}
	}
	return "", err
}

type publicKey struct {
	id    string
	bytes [32]byte
}

func (s *Store) publicKey(ctx context.Context, p place) (publicKey, error) {
	var got struct {
		KeyID string `json:"key_id"`
		Key   string `json:"key"`
	}
	what := "read the public key for " + p.String()
	if _, err := s.api.Call(ctx, what, http.MethodGet, p.path("public-key"), nil, &got); err != nil {
		return publicKey{}, err
	}
	raw, err := base64.StdEncoding.DecodeString(got.Key)
	if err != nil || len(raw) != 32 || got.KeyID == "" {
		return publicKey{}, fmt.Errorf("%s: GitHub's answer is not a 32-byte key with an id", what)
	}
	return publicKey{id: got.KeyID, bytes: [32]byte(raw)}, nil
}

// Restore implements secretstores.Store.
func (s *Store) Restore(context.Context, incident.Dependent, json.RawMessage, []byte, secretstores.Change) (string, error) {
	return "", fmt.Errorf("GitHub never gives the old value of a secret back: %w", keys.ErrUnsupported)
}

// Holds implements secretstores.Store: GitHub tells that a secret is there and when it was written, never what it is.
func (s *Store) Holds(ctx context.Context, d incident.Dependent, _ []byte) (secretstores.Health, error) {
	p, err := placeOf(d)
	if err != nil {
		return secretstores.Health{}, err
	}
	got, err := s.read(ctx, p)
	if api.IsStatus(err, http.StatusNotFound) {
		return secretstores.Health{Detail: p.String() + " does not exist"}, nil
	}
	return secretstores.Health{Healthy: err == nil, Detail: fmt.Sprintf("%s was written at %s; GitHub does not show its value", p, got.UpdatedAt.UTC().Format(time.RFC3339))}, err
}
