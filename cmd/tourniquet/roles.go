package main

import (
	"fmt"
	"slices"
	"strings"

	"go.uber.org/fx"

	"github.com/tourniquet-ir/tourniquet/internal/config"
	"github.com/tourniquet-ir/tourniquet/internal/engine"
	"github.com/tourniquet-ir/tourniquet/internal/intake"
	"github.com/tourniquet-ir/tourniquet/internal/seal"
)

// role is which part of the house a process is. The api holds the doors and the signing key; the worker makes the calls to
// providers and holds public keys alone, so that it cannot approve anything itself.
type role string

const (
	roleAll    role = "all"
	roleAPI    role = "api"
	roleWorker role = "worker"
)

// parseRole takes what --role says: one of the three, or both halves with a comma.
func parseRole(text string) (role, error) {
	has := map[role]bool{}
	for word := range strings.SplitSeq(text, ",") {
		r := role(strings.TrimSpace(word))
		if r == "" {
			r = roleAll
		}
		if !slices.Contains([]role{roleAll, roleAPI, roleWorker}, r) {
			return "", misuse("--role takes all, api or worker, not %q", word)
		}
		has[r] = true
	}
	switch {
	case has[roleAll], has[roleAPI] && has[roleWorker]:
		return roleAll, nil
	case has[roleAPI]:
		return roleAPI, nil
	}
	return roleWorker, nil
}

func (r role) is(part role) bool { return r == "" || r == roleAll || r == part }

// only is a part of the map for those who have the role.
func (r role) only(part role, o fx.Option) fx.Option {
	if r.is(part) {
		return o
	}
	return fx.Options()
}

// without is a part of the map for those who have not.
func (r role) without(part role, o fx.Option) fx.Option {
	if r.is(part) {
		return fx.Options()
	}
	return o
}

// shared tells whether nothing that we change lies in the data directory, so that several processes may share the rest.
func shared(c *config.Config) bool {
	return c.Temporal.Mode == "external" && c.Database.Driver == "postgres"
}

// fits refuses half a house whose other half could not see the same records.
func (r role) fits(c *config.Config) error {
	if r.is(roleAPI) && r.is(roleWorker) {
		return nil
	}
	var missing []string
	if c.Temporal.Mode != "external" {
		missing = append(missing, "temporal.mode: external")
	}
	if c.Database.Driver != "postgres" {
		missing = append(missing, "database.driver: postgres")
	}
	if c.Evidence.URL == "" {
		missing = append(missing, "evidence.url (a bucket, or a folder that every process sees)")
	}
	if r == roleWorker && c.Encryption.PublicKeys == "" {
		missing = append(missing, "encryption.public_keys (made on the host of the API with: tourniquet encryption public)")
	}
	if len(missing) > 0 {
		return fmt.Errorf("role %s shares its work with other processes; the configuration lacks %s", r, strings.Join(missing, ", "))
	}
	return nil
}

// trusted are the public keys whose signatures count, by id.
type trusted map[string]string

func trustedKeys(s settings, lock *engine.DirLock) (trusted, error) {
	if s.Role.is(roleAPI) {
		signer, err := openSigner(s, lock)
		if err != nil {
			return nil, err
		}
		return signer.PublicKeys(), nil
	}
	return seal.LoadPublic(s.Config.At(s.Config.Encryption.PublicKeys))
}

// wake tells the dispatcher that an alert was stored.
type wake func()

func waker(d *intake.Dispatcher) wake { return d.Wake }

// nobodyToWake is for a worker: the API processes look at the records every second.
func nobodyToWake() wake { return func() {} }
