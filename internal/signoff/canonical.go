package signoff

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/gowebpki/jcs"
)

// Domains keep the hash of one thing from ever being taken for the hash of another.
const (
	domainEnvelope = "tourniquet/envelope/v1"
	domainDecision = "tourniquet/decision/v1"
	domainCard     = "tourniquet/card/v1"
	domainPolicy   = "tourniquet/policy/v1"
)

// maxExact is the largest integer that every JSON reader keeps exactly. RFC 8785 writes numbers as doubles, so that
// two larger integers could share one canonical form, and with it one digest.
const maxExact = 1<<53 - 1

// Digest is what people sign: "sha256:<hex>" over the domain and the RFC 8785 form of the envelope, times in UTC.
func Digest(e Envelope) (string, error) {
	b, err := canonical(settle(e), true)
	if err != nil {
		return "", fmt.Errorf("the envelope of step %q has no digest: %w", e.Step, err)
	}
	return sum(domainEnvelope, b), nil
}

// CardDigest is the digest of an action's card, frozen with each planned call.
func CardDigest(card any) (string, error) { return HashJSON(domainCard, card) }

// HashJSON is "sha256:<hex>" over domain, a newline and the RFC 8785 form of v. Fractions are allowed here;
// integers that JSON cannot carry exactly, text that is not UTF-8 and a domain with a line break are not.
func HashJSON(domain string, v any) (string, error) {
	if domain == "" || strings.ContainsAny(domain, "\r\n") {
		return "", fmt.Errorf("the hash domain %q must be one non-empty line", domain)
	}
	b, err := canonical(v, false)
	if err != nil {
		return "", fmt.Errorf("the value for %q has no digest: %w", domain, err)
	}
	return sum(domain, b), nil
}

// CheckCode is the start of a digest as people compare it, "3f9a-c210"; empty where digest is not one of ours.
func CheckCode(digest string) string {
	h, ok := strings.CutPrefix(digest, "sha256:")
	if raw, err := hex.DecodeString(h); !ok || err != nil || len(raw) != sha256.Size || h != strings.ToLower(h) {
		return ""
	}
	return h[:4] + "-" + h[4:8]
}

func sum(domain string, body []byte) string {
	h := sha256.Sum256(append([]byte(domain+"\n"), body...))
	return "sha256:" + hex.EncodeToString(h[:])
}

// settle brings every time of an envelope to UTC, so that its digest does not depend on the zone of a machine.
func settle(e Envelope) Envelope {
	e.Issued, e.Expires = e.Issued.UTC(), e.Expires.UTC()
	calls := make([]PlannedCall, len(e.Calls))
	for i, c := range e.Calls {
		if c.Inputs != nil {
			c.Inputs, _ = inUTC(c.Inputs).(map[string]any)
		}
		calls[i] = c
	}
	if e.Calls != nil {
		e.Calls = calls
	}
	return e
}

func inUTC(v any) any {
	switch x := v.(type) {
	case time.Time:
		return x.UTC()
	case map[string]any:
		out := make(map[string]any, len(x))
		for k, e := range x {
			out[k] = inUTC(e)
		}
		return out
	case []any:
		out := make([]any, len(x))
		for i, e := range x {
			out[i] = inUTC(e)
		}
		return out
	default:
		return v
	}
}

// canonical is the RFC 8785 form of v. whole refuses every number that is not an integer.
func canonical(v any, whole bool) ([]byte, error) {
	if err := checkText(reflect.ValueOf(v), 0); err != nil {
		return nil, err
	}
	raw, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("it cannot be written as JSON: %w", err)
	}
	if err := checkNumbers(raw, whole); err != nil {
		return nil, err
	}
	out, err := jcs.Transform(raw)
	if err != nil {
		return nil, fmt.Errorf("it cannot be written as canonical JSON: %w", err)
	}
	return out, nil
}

func checkNumbers(raw []byte, whole bool) error {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	for {
		tok, err := dec.Token()
		if err != nil {
			return nil //nolint:nilerr // the end: raw came from json.Marshal and is well formed
		}
		n, ok := tok.(json.Number)
		if !ok {
			continue
		}
		if strings.ContainsAny(n.String(), ".eE") {
			if whole {
				return fmt.Errorf("the number %s is not a whole number: write it as text or in a smaller unit", n)
			}
			continue
		}
		if i, err := strconv.ParseInt(n.String(), 10, 64); err != nil || i > maxExact || i < -maxExact {
			return fmt.Errorf("the number %s is too large to be kept exactly: write it as text", n)
		}
	}
}

// maxDepth ends a walk through data that contains itself.
const maxDepth = 200

// checkText refuses text that is not UTF-8: JSON would replace the bad bytes, and two texts would share a digest.
func checkText(v reflect.Value, depth int) error {
	if depth > maxDepth {
		return fmt.Errorf("it is nested deeper than %d levels", maxDepth)
	}
	switch v.Kind() {
	case reflect.String:
		if !utf8.ValidString(v.String()) {
			return fmt.Errorf("the text %q is not valid UTF-8", v.String())
		}
	case reflect.Pointer, reflect.Interface:
		return checkText(v.Elem(), depth+1)
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			return nil
		}
		for i := range v.NumField() {
			if err := checkText(v.Field(i), depth+1); err != nil {
				return err
			}
		}
	case reflect.Slice, reflect.Array:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return nil // bytes travel as base64
		}
		for i := range v.Len() {
			if err := checkText(v.Index(i), depth+1); err != nil {
				return err
			}
		}
	case reflect.Map:
		for it := v.MapRange(); it.Next(); {
			if err := checkText(it.Key(), depth+1); err != nil {
				return err
			}
			if err := checkText(it.Value(), depth+1); err != nil {
				return err
			}
		}
	}
	return nil
}
