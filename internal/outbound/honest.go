package outbound

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
)

// ErrContradicts is an answer with a good status and an error inside. Libraries that look at the status alone would take it
// for an empty, and good, answer.
var ErrContradicts = errors.New("the answer says that all is well, and holds an error")

// ErrElsewhere is a redirect, which nobody follows: asking again points there again.
var ErrElsewhere = errors.New("it points elsewhere, where no credential is carried: correct the configured address")

// Home takes no redirect for an answer, for libraries that would.
func Home(next http.RoundTripper) http.RoundTripper { return home{next} }

type home struct{ next http.RoundTripper }

func (h home) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := h.next.RoundTrip(r)
	if err == nil && res.StatusCode >= 300 && res.StatusCode < 400 && res.Header.Get("Location") != "" {
		_ = res.Body.Close()
		return nil, ErrElsewhere
	}
	return res, err
}

// Honest hides such answers. inside tells an error from what a good answer of this service holds.
func Honest(next http.RoundTripper, inside func(fields map[string]json.RawMessage) bool) http.RoundTripper {
	return honest{next, inside}
}

type honest struct {
	next   http.RoundTripper
	inside func(map[string]json.RawMessage) bool
}

func (h honest) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := h.next.RoundTrip(r)
	if err != nil || res.StatusCode < 200 || res.StatusCode > 299 {
		return res, err
	}
	body, err := io.ReadAll(res.Body)
	_ = res.Body.Close()
	if err != nil {
		return nil, err
	}
	var fields map[string]json.RawMessage
	if json.Unmarshal(body, &fields) == nil && h.inside(fields) {
		return nil, ErrContradicts
	}
	res.Body = io.NopCloser(bytes.NewReader(body))
	return res, nil
}

// Says reports whether a field is there and not null.
func Says(fields map[string]json.RawMessage, name string) bool {
	value := string(bytes.TrimSpace(fields[name]))
	return value != "" && value != "null" && value != "[]"
}
