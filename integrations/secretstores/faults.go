package secretstores

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/outbound"
)

// ErrMoved says that the secret is no longer as people saw it, so nothing was written.
var ErrMoved = errors.New("the secret was changed by somebody else since people saw it, so nothing was written")

// Moved is ErrMoved for one secret; a retry cannot mend it.
func Moved(what string) error { return keys.Permanent(fmt.Errorf("%s: %w", what, ErrMoved)) }

// Answered words a refusal by its status alone: what a store says beside it may quote what was sent.
func Answered(what, who string, status int, hint string) error {
	err := fmt.Errorf("%s: %s answered %d", what, who, status)
	if hint != "" {
		err = fmt.Errorf("%w; %s", err, hint)
	}
	if status == http.StatusTooManyRequests || status == http.StatusRequestTimeout || status >= 500 {
		return err
	}
	return keys.Permanent(err)
}

// Hint is what an operator does about a status.
func Hint(status int, permission string) string {
	switch status {
	case http.StatusUnauthorized:
		return "the credentials are wrong or expired"
	case http.StatusForbidden:
		return "the credentials lack a permission: " + permission
	case http.StatusNotFound:
		return "it does not exist, or the credentials may not see it"
	}
	return ""
}

// Unanswered words a call that got no usable answer, without an address.
func Unanswered(what, who string, err error) error {
	reason := outbound.Reason(err)
	if errors.Is(err, outbound.ErrElsewhere) {
		return keys.Permanent(fmt.Errorf("%s: %s: %w", what, who, outbound.ErrElsewhere))
	}
	if errors.Is(reason, context.Canceled) || errors.Is(reason, context.DeadlineExceeded) {
		return fmt.Errorf("%s: no answer from %s in time: %w", what, who, reason)
	}
	return fmt.Errorf("%s: no usable answer from %s", what, who)
}

// Need reads address fields of a dependent that must be there.
func Need(d incident.Dependent, fields ...string) error {
	for _, f := range fields {
		if d.Address[f] == "" {
			return keys.Permanent(fmt.Errorf("dependent %q: a %s needs the field %q", d.ID, d.Kind, f))
		}
	}
	return nil
}

// Version is the undo record of a store with versions.
type Version struct {
	Version string `json:"version"`
}

// Field is the text of one field of a JSON object; the whole text where no field is named.
func Field(text, field string) (value string, there bool) {
	if field == "" {
		return text, true
	}
	fields := map[string]json.RawMessage{}
	_ = json.Unmarshal([]byte(text), &fields) // what is no object has no fields
	there = json.Unmarshal(fields[field], &value) == nil
	return value, there
}

// FieldOf is Field, or the sentence that it is not there.
func FieldOf(what, text, field string) ([]byte, error) {
	value, there := Field(text, field)
	if !there {
		return nil, keys.Permanent(fmt.Errorf("%s holds no JSON object with the field %q as text", what, field))
	}
	return []byte(value), nil
}

// Seen words what a check found: there, and the wanted value where one is wanted. Values are compared in constant time.
func Seen(what string, there bool, has, wanted []byte) Health {
	switch {
	case !there || len(has) == 0:
		return Health{Detail: what + " does not hold the key"}
	case wanted == nil:
		return Health{Healthy: true, Detail: what + " can be read"}
	case subtle.ConstantTimeCompare(has, wanted) == 1:
		return Health{Healthy: true, Detail: what + " holds the new key"}
	}
	return Health{Detail: what + " holds another value than the new key"}
}
