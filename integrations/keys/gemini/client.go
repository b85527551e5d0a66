package gemini

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"time"

	"golang.org/x/oauth2"
	"google.golang.org/api/googleapi"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/internal/outbound"
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

// plainClient carries no credentials and follows no redirect: nothing that Google offers here redirects, and a
// redirect would carry a token to a stranger.
func plainClient(given *http.Client) *http.Client {
	var next http.RoundTripper = http.DefaultTransport
	if given != nil && given.Transport != nil {
		next = given.Transport
	}
	return &http.Client{Transport: outbound.Honest(limited{next}, errorInside), Timeout: callTimeout, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// errorInside: a long-running operation may tell its own error, and it has a name.
func errorInside(fields map[string]json.RawMessage) bool {
	return outbound.Says(fields, "error") && !outbound.Says(fields, "name")
}

func adminClient(plain *http.Client, source oauth2.TokenSource) *http.Client {
	client := *plain
	client.Transport = &oauth2.Transport{Source: oauth2.ReuseTokenSource(nil, source), Base: plain.Transport}
	return &client
}

// read makes a call that changes nothing; it may be repeated twice when the fault looks transient.
func (p *Provider) read(ctx context.Context, what string, do func() error) error {
	var err error
	for pause := 50 * time.Millisecond; ; pause *= 4 {
		if err = do(); err == nil {
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

// transient reports whether asking at once again makes sense: not when Google names a time to wait.
func transient(err error) bool {
	var api *googleapi.Error
	if errors.As(err, &api) {
		return api.Code >= 500 && api.Header.Get("Retry-After") == ""
	}
	var network *url.Error
	return errors.As(err, &network) && !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded)
}

var keyShape = regexp.MustCompile(`AIza[0-9A-Za-z_-]{8,}`)

// explain words an error of Google without URLs and key values, and marks those that repeating cannot mend.
func explain(what string, err error) error {
	if err == nil || keys.IsPermanent(err) {
		return err
	}
	var api *googleapi.Error
	if errors.As(err, &api) {
		return explainAPI(what, api)
	}
	var network *url.Error
	if errors.As(err, &network) {
		err = network.Err // the URL of a look-up carries the key
	}
	return fmt.Errorf("%s: no usable answer from Google: %w", what, scrubbed{err})
}

func explainAPI(what string, api *googleapi.Error) error {
	text := fmt.Sprintf("%s: Google answered %d", what, api.Code)
	if reason := reasonOf(api); reason != "" {
		text += " " + reason
	}
	if api.Message != "" {
		text += fmt.Sprintf(": %q", api.Message)
	}
	if after := api.Header.Get("Retry-After"); after != "" {
		text += fmt.Sprintf(" (retry after %s s)", after)
	}
	if api.Code >= 300 && api.Code < 400 {
		return keys.Permanent(errors.New(text + "; " + outbound.ErrElsewhere.Error()))
	}
	err := scrubbed{errors.New(text)}
	switch api.Code {
	case http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusGone, http.StatusUnprocessableEntity:
		return keys.Permanent(err)
	}
	return err
}

// reasonOf finds ErrorInfo.reason in an error's details.
func reasonOf(api *googleapi.Error) string {
	for _, detail := range api.Details {
		if info, isMap := detail.(map[string]any); isMap {
			if reason, isText := info["reason"].(string); isText {
				return reason
			}
		}
	}
	return ""
}

// scrubbed prints an error with everything that looks like a key cut short.
type scrubbed struct{ err error }

func (s scrubbed) Error() string { return keyShape.ReplaceAllString(s.err.Error(), "AIza…") }
func (s scrubbed) Unwrap() error {
	if errors.Is(s.err, context.Canceled) {
		return context.Canceled
	}
	if errors.Is(s.err, context.DeadlineExceeded) {
		return context.DeadlineExceeded
	}
	return nil // the inner error may print the key
}

func notFound(err error) bool {
	var api *googleapi.Error
	return errors.As(err, &api) && api.Code == http.StatusNotFound
}
