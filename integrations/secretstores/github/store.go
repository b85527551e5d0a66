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

// Options configure the store.
type Options struct {
	API *api.Client
	// PrivateNetworks lets http checks reach loopback and private addresses; off unless the operator asks for it.
	PrivateNetworks bool
}

// Store writes GitHub Actions secrets.
type Store struct {
	api   *api.Client
	probe *http.Client
}

var _ secretstores.Store = (*Store)(nil)

// New returns a store.
func New(o Options) *Store { return &Store{api: o.API, probe: prober(o.PrivateNetworks)} }

// Kinds implements secretstores.Store.
func (s *Store) Kinds() []string { return []string{KindActions, KindEnvironment} }

// Undoable is false: GitHub never gives the old value back.
func (s *Store) Undoable() bool { return false }

// Redeploys is true: Update starts the workflow that the inventory names.
func (s *Store) Redeploys() bool { return true }

// State implements secretstores.Store. A secret that does not exist yet is a state, not an error, as long as the
// repository itself can be seen.
func (s *Store) State(ctx context.Context, d incident.Dependent) (secretstores.State, error) {
	p, err := placeOf(d)
	if err != nil {
		return secretstores.State{}, err
	}
	at, err := s.updatedAt(ctx, p)
	if api.IsStatus(err, http.StatusNotFound) {
		if _, kerr := s.publicKey(ctx, p); kerr != nil {
			return secretstores.State{}, kerr
		}
		return secretstores.State{Fields: map[string]string{"exists": "false", "updated_at": ""}}, nil
	}
	if err != nil {
		return secretstores.State{}, err
	}
	return secretstores.State{Fields: map[string]string{"exists": "true", "updated_at": at.UTC().Format(time.RFC3339)}}, nil
}

func (s *Store) updatedAt(ctx context.Context, p place) (time.Time, error) {
	var got struct {
		UpdatedAt time.Time `json:"updated_at"`
	}
	_, err := s.api.Call(ctx, "read "+p.String(), http.MethodGet, p.path(p.name), nil, &got)
	return got.UpdatedAt, err
}

// Update implements secretstores.Store. Repeating it writes the same value again, which is harmless.
func (s *Store) Update(ctx context.Context, d incident.Dependent, value []byte) (string, error) {
	p, err := placeOf(d)
	if err != nil {
		return "", err
	}
	j, redeploy, err := deployOf(d)
	if err != nil {
		return "", err
	}
	if len(value) == 0 || len(value) > maxValue {
		return "", keys.Permanent(fmt.Errorf("update %s: the value has %d bytes; GitHub takes 1 to %d", p, len(value), maxValue))
	}
	receipt, err := s.put(ctx, p, value)
	if err != nil || !redeploy {
		return receipt, err
	}
	run, err := s.dispatch(ctx, j)
	if err != nil {
		return receipt, fmt.Errorf("%s has the new value, but it is not deployed yet: %w", p, err)
	}
	return receipt + " " + run, nil
}

// Redeploy restarts the dependent with the value that its store holds: for an update whose answer was lost after the
// value had arrived.
func (s *Store) Redeploy(ctx context.Context, d incident.Dependent) (string, error) {
	j, wanted, err := deployOf(d)
	if err != nil || !wanted {
		return "", err
	}
	return s.dispatch(ctx, j)
}

// put seals the value for GitHub's current public key. GitHub answers 422 when that key was changed between our
// read and our write, so the key is read once more before giving up.
func (s *Store) put(ctx context.Context, p place, value []byte) (string, error) {
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
		body := map[string]string{"encrypted_value": base64.StdEncoding.EncodeToString(sealed), "key_id": pub.id}
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
func (s *Store) Restore(context.Context, incident.Dependent, json.RawMessage) error {
	return fmt.Errorf("GitHub never gives the old value of a secret back: %w", keys.ErrUnsupported)
}
