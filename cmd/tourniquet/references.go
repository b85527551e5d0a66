package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	awsconfig "github.com/aws/aws-sdk-go-v2/config"

	"github.com/tourniquet-ir/tourniquet/integrations/secretstores"
	"github.com/tourniquet-ir/tourniquet/integrations/secretstores/vault"
	"github.com/tourniquet-ir/tourniquet/internal/config"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/seal"
)

// referenceWithin bounds one look into a store: a start must not hang on one that is dead.
const referenceWithin = 10 * time.Second

// places are where the references of a configuration lead: the environment, files, and the stores that it names.
func (sh *shell) places(c *config.Config) config.Places {
	local := settings{Config: c, Env: config.Places{Env: sh.Env}}
	r := &referenced{local: local, within: referenceWithin, readers: map[string]reader{}, seen: map[string]found{}}
	return config.Places{Env: sh.Env, Stores: r.get}
}

// referenced reads every reference once in the life of the process, and asks no store again that gave no answer in time.
type referenced struct {
	local  settings // resolves what opens a store
	within time.Duration

	mu      sync.Mutex
	readers map[string]reader // by store
	seen    map[string]found
}

type reader struct {
	secretstores.Reader
	err error
}

type found struct {
	value seal.Secret
	err   error
}

func (r *referenced) get(ref config.Reference) (string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	name := fmt.Sprint(ref.Store, ref.Address)
	f, ok := r.seen[name]
	if !ok {
		value, err := r.read(ref)
		f = found{seal.NewSecret(value), err}
		r.seen[name] = f
	}
	return string(f.value.Reveal()), f.err
}

func (r *referenced) read(ref config.Reference) ([]byte, error) {
	from, ok := r.readers[ref.Store]
	if !ok {
		from.Reader, from.err = r.open(ref.Store)
		r.readers[ref.Store] = from
	}
	if from.err != nil {
		return nil, from.err
	}
	value, err := bounded(r.within, from.Reader, incident.Dependent{ID: ref.Store, Kind: ref.Store, Address: ref.Address})
	if errors.Is(err, context.DeadlineExceeded) {
		r.readers[ref.Store] = reader{err: fmt.Errorf("the store gave no answer within %s", r.within)}
	}
	return value, err
}

// bounded ends a look in time, even where a library waits for its own credentials without heed to the context.
func bounded(within time.Duration, from secretstores.Reader, d incident.Dependent) ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	type answer struct {
		value []byte
		err   error
	}
	got := make(chan answer, 1)
	go func() {
		value, err := from.Value(ctx, d)
		got <- answer{value, err}
	}()
	select {
	case a := <-got:
		return a.value, a.err
	case <-ctx.Done():
		return nil, fmt.Errorf("the store gave no answer within %s: %w", within, ctx.Err())
	}
}

// open makes the client of one store. It is the same client that writes to dependents, with the credentials of references.
func (r *referenced) open(store string) (secretstores.Reader, error) {
	c := r.local.Config.Stores()
	switch store {
	case "vault":
		return vault.New(vault.Options{Address: c.Vault.Address, Token: func() (string, error) { return c.Vault.Token.Resolve(r.local.Env) }})
	case "awssm":
		made, err := awsStore(r.local, config.AWSSecrets{AccessKeyID: c.AWS.AccessKeyID, SecretAccessKey: c.AWS.SecretAccessKey, Endpoint: c.AWS.Endpoint})
		return inRegion{made, c.AWS.Region}, err
	case "gcpsm":
		return gcpStore(r.local, *c.GCP)
	}
	return nil, fmt.Errorf("there is no store %q", store)
}

// inRegion says where to look for a secret whose reference names no region.
type inRegion struct {
	secretstores.Reader
	region string
}

func (i inRegion) Value(ctx context.Context, d incident.Dependent) ([]byte, error) {
	if d.Address["region"] != "" {
		return i.Reader.Value(ctx, d)
	}
	if i.region == "" {
		usual, err := awsconfig.LoadDefaultConfig(ctx)
		if err != nil || usual.Region == "" {
			return nil, errors.New("no region is told: add ?region= to the reference, or set references.aws.region")
		}
		i.region = usual.Region
	}
	at := map[string]string{"region": i.region, "name": d.Address["name"], "field": d.Address["field"]}
	return i.Reader.Value(ctx, incident.Dependent{ID: d.ID, Kind: d.Kind, Address: at})
}
