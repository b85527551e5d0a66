package kubernetes

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	corev1 "k8s.io/api/core/v1"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/integrations/secretstores"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

// Kind of dependent that this store serves.
const Kind = "kubernetes_secret"

// maxValue is the API server's limit for a whole Secret, in bytes.
const maxValue = 1 << 20

// Store writes fields of Secrets and restarts workloads.
type Store struct{ clusters []cluster }

var (
	_ secretstores.Store    = (*Store)(nil)
	_ secretstores.Keeper   = (*Store)(nil)
	_ secretstores.Deployer = (*Store)(nil)
)

// New reads the kubeconfigs; it makes no call.
func New(list []Cluster) (*Store, error) {
	s := &Store{}
	var faults []error
	for _, c := range list {
		made, err := open(c)
		faults = append(faults, err)
		s.clusters = append(s.clusters, made)
	}
	return s, errors.Join(faults...)
}

// Kinds implements secretstores.Store.
func (s *Store) Kinds() []string { return []string{Kind} }

// Undo implements secretstores.Store.
func (s *Store) Undo() string { return "the field gets the value before again, which is kept sealed" }

// Ready implements secretstores.Store: it asks every server who we are, which needs no permission.
func (s *Store) Ready(ctx context.Context) error {
	var faults []error
	for _, c := range s.clusters {
		faults = append(faults, c.whoami(ctx))
	}
	return errors.Join(faults...)
}

func (c cluster) whoami(ctx context.Context) error {
	what := fmt.Sprintf("ask cluster %q who we are", c.name)
	raw, err := c.core.Post().AbsPath("/apis/authentication.k8s.io/v1/selfsubjectreviews").SetHeader("Content-Type", "application/json").
		Body([]byte(`{"apiVersion":"authentication.k8s.io/v1","kind":"SelfSubjectReview"}`)).MaxRetries(0).Do(ctx).Raw()
	if err != nil {
		return fault(what, err)
	}
	var got struct {
		Status struct {
			User struct {
				Name string `json:"username"`
			} `json:"userInfo"`
		} `json:"status"`
	}
	if json.Unmarshal(raw, &got) != nil || got.Status.User.Name == "" {
		return fmt.Errorf("%s: no usable answer from the Kubernetes API", what)
	}
	return nil
}

// cluster finds the one that a dependent names.
func (s *Store) cluster(d incident.Dependent, name string) (cluster, error) {
	if name == "" && len(s.clusters) == 1 {
		return s.clusters[0], nil
	}
	for _, c := range s.clusters {
		if c.name == name {
			return c, nil
		}
	}
	return cluster{}, keys.Permanent(fmt.Errorf("dependent %q: there is no cluster %q in secret_stores.kubernetes", d.ID, name))
}

type place struct {
	target
	field string
	in    cluster
}

func (s *Store) place(d incident.Dependent) (place, error) {
	p := place{target{d.Address["namespace"], "secrets", d.Address["name"]}, d.Address["key"], cluster{}}
	if err := named(d, p.namespace, p.name); err != nil {
		return place{}, err
	}
	if !fieldName.MatchString(p.field) {
		return place{}, keys.Permanent(fmt.Errorf("dependent %q: %q is not the name of a field of a Secret", d.ID, p.field))
	}
	var err error
	p.in, err = s.cluster(d, d.Address["cluster"])
	return p, err
}

func (p place) read(ctx context.Context) (*corev1.Secret, error) {
	return get(ctx, p.in.core, p.target, &corev1.Secret{})
}

// kept is the undo record: whether there was a value, and that the caller has sealed it.
type kept struct {
	Sealed bool `json:"sealed"`
}

// State implements secretstores.Store.
func (s *Store) State(ctx context.Context, d incident.Dependent) (secretstores.State, error) {
	p, err := s.place(d)
	if err != nil {
		return secretstores.State{}, err
	}
	got, err := p.read(ctx)
	if err != nil {
		return secretstores.State{}, err
	}
	if got.Immutable != nil && *got.Immutable {
		return secretstores.State{}, keys.Permanent(fmt.Errorf("%s is immutable, so its value cannot change: give the workload a new Secret by hand", p))
	}
	_, has := got.Data[p.field]
	st := secretstores.State{Fields: map[string]string{"exists": strconv.FormatBool(has), "version": got.ResourceVersion}}
	st.Undo, err = json.Marshal(kept{Sealed: has})
	return st, err
}

// Old implements secretstores.Keeper; nil when the field is not there.
func (s *Store) Old(ctx context.Context, d incident.Dependent) ([]byte, error) {
	p, err := s.place(d)
	if err != nil {
		return nil, err
	}
	got, err := p.read(ctx)
	return got.Data[p.field], err
}

// Update implements secretstores.Store.
func (s *Store) Update(ctx context.Context, d incident.Dependent, c secretstores.Change) (string, error) {
	if len(c.Value) == 0 || len(c.Value) > maxValue {
		return "", keys.Permanent(fmt.Errorf("dependent %q: the value has %d bytes; Kubernetes takes 1 to %d", d.ID, len(c.Value), maxValue))
	}
	return s.write(ctx, d, c.Value, c.Over["version"])
}

// write sets one field, or takes it away, and has the server compare the version: it answers 409 when that is another.
func (s *Store) write(ctx context.Context, d incident.Dependent, value []byte, over string) (string, error) {
	p, err := s.place(d)
	if err != nil {
		return "", err
	}
	if over == "" { // without a version the server would compare nothing
		return "", secretstores.Moved(p.String())
	}
	data := map[string]any{p.field: nil}
	if value != nil {
		data[p.field] = value // JSON makes base64 of it, as the API wants
	}
	body, err := json.Marshal(map[string]any{"metadata": map[string]any{"resourceVersion": over}, "data": data})
	if err != nil {
		return "", keys.Permanent(fmt.Errorf("write %s: the patch cannot be made", p))
	}
	defer clear(body)
	made, err := patch(ctx, p.in.core, p.target, body, &corev1.Secret{})
	if err != nil {
		return "", err
	}
	return "secret:" + made.ResourceVersion, nil
}

// Restore implements secretstores.Store.
func (s *Store) Restore(ctx context.Context, d incident.Dependent, undo json.RawMessage, old []byte, c secretstores.Change) (string, error) {
	var k kept
	if err := json.Unmarshal(undo, &k); err != nil || k.Sealed != (len(old) > 0) {
		return "", keys.Permanent(fmt.Errorf("dependent %q: the undo record and the sealed value do not fit together", d.ID))
	}
	if !k.Sealed {
		old = nil
	}
	return s.write(ctx, d, old, c.Over["version"])
}

// Holds implements secretstores.Store.
func (s *Store) Holds(ctx context.Context, d incident.Dependent, value []byte) (secretstores.Health, error) {
	p, err := s.place(d)
	if err != nil {
		return secretstores.Health{}, err
	}
	got, err := p.read(ctx)
	if err != nil {
		return secretstores.Health{}, err
	}
	has, there := got.Data[p.field]
	return secretstores.Seen(p.String(), there, has, value), nil
}
