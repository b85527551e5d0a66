package openai

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"time"

	sdk "github.com/openai/openai-go/v3"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
)

// limited is a transport that bounds every answer and, when the context asks for it, keeps a copy as evidence.
type limited struct{ next http.RoundTripper }

type tapeKey struct{}

// tape collects answers exactly as they came.
type tape struct{ bodies [][]byte }

func (t limited) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := t.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	body := res.Body
	read := struct {
		io.Reader
		io.Closer
	}{io.LimitReader(body, bodyLimit), body}
	res.Body = read
	recorder, _ := r.Context().Value(tapeKey{}).(*tape)
	if recorder == nil {
		return res, nil
	}
	whole, err := io.ReadAll(read)
	_ = body.Close()
	if err != nil {
		return nil, err
	}
	recorder.bodies = append(recorder.bodies, whole)
	res.Body = io.NopCloser(bytes.NewReader(whole))
	return res, nil
}

func evidence(name string, recorder *tape) []keys.Raw {
	var out []keys.Raw
	for i, body := range recorder.bodies {
		out = append(out, keys.Raw{Name: fmt.Sprintf("%s-%d.json", name, i+1), Body: body})
	}
	return out
}

// read makes a call that changes nothing; it may be repeated twice when the fault looks transient.
func (p *Provider) read(ctx context.Context, what string, do func() error) error {
	for pause := 50 * time.Millisecond; ; pause *= 4 {
		err := do()
		if err == nil {
			return nil
		}
		if !transient(err) || pause > 200*time.Millisecond || sleep(ctx, pause) != nil {
			return explain(what, err)
		}
	}
}

// sleep waits for d or the end of ctx.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

func retryAfter(err *sdk.Error) string {
	if err.Response == nil {
		return ""
	}
	return err.Response.Header.Get("Retry-After")
}

// transient reports whether asking at once again makes sense: not when OpenAI names a time to wait.
func transient(err error) bool {
	var api *sdk.Error
	if errors.As(err, &api) {
		return api.StatusCode >= 500 && retryAfter(api) == ""
	}
	var network *url.Error
	return errors.As(err, &network) && !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded)
}

var keyShape = regexp.MustCompile(`sk-[0-9A-Za-z_*-]{8,}`)

// explain words an error of OpenAI without URLs and key values, and marks those that repeating cannot mend.
func explain(what string, err error) error {
	if err == nil || keys.IsPermanent(err) {
		return err
	}
	var api *sdk.Error
	if !errors.As(err, &api) {
		var network *url.Error
		if errors.As(err, &network) {
			err = network.Err
		}
		return fmt.Errorf("%s: no usable answer from OpenAI: %w", what, scrubbed{err})
	}
	text := fmt.Sprintf("%s: OpenAI answered %d", what, api.StatusCode)
	if api.Code != "" {
		text += " " + api.Code
	}
	if api.Message != "" {
		text += fmt.Sprintf(": %q", api.Message)
	}
	if after := retryAfter(api); after != "" {
		text += fmt.Sprintf(" (retry after %s s)", after)
	}
	switch api.StatusCode {
	case http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusGone:
		return keys.Permanent(scrubbed{errors.New(text)})
	}
	return scrubbed{errors.New(text)}
}

// scrubbed prints an error with everything that looks like a key cut short.
type scrubbed struct{ err error }

func (s scrubbed) Error() string { return keyShape.ReplaceAllString(s.err.Error(), "sk-…") }

// Unwrap gives the end of a context alone: the inner error may print the key.
func (s scrubbed) Unwrap() error {
	for _, end := range []error{context.Canceled, context.DeadlineExceeded} {
		if errors.Is(s.err, end) {
			return end
		}
	}
	return nil
}

func status(err error) int {
	var api *sdk.Error
	if errors.As(err, &api) {
		return api.StatusCode
	}
	return 0
}
