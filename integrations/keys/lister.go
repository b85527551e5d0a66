package keys

import (
	"context"

	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

// Lister is a provider that can list the living keys of an account. No value of a key is read for it.
type Lister interface {
	List(ctx context.Context) ([]incident.Key, error)
}
