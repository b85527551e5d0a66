package azureopenai

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/integrations/keys/tape"
)

// judgeAnswer hides answers that Azure would not give: each of its good ones is a JSON object, or empty.
func judgeAnswer(res *http.Response, body []byte) error {
	body = bytes.TrimSpace(body)
	if res.StatusCode >= 300 || len(body) == 0 && res.StatusCode != http.StatusOK {
		return nil
	}
	var object map[string]json.RawMessage
	if json.Unmarshal(body, &object) != nil || !strings.Contains(res.Header.Get("Content-Type"), "json") {
		return fmt.Errorf("%w: %d of type %q", tape.ErrStrange, res.StatusCode, res.Header.Get("Content-Type"))
	}
	if _, fault := object["error"]; fault {
		return fmt.Errorf("%w: an error inside %d", tape.ErrStrange, res.StatusCode)
	}
	return nil
}

// read makes a call that changes nothing; it may be repeated twice when the fault looks transient.
func (p *Provider) read(ctx context.Context, what string, do func() error) error {
	for pause := 50 * time.Millisecond; ; pause *= 4 {
		err := do()
		if err == nil {
			return nil
		}
		if !transient(err) || pause > 200*time.Millisecond || keys.Sleep(ctx, pause) != nil {
			return explain(what, err)
		}
	}
}

// closedError is Azure's answer about the keys of a resource whose key authentication is off: it shows none of them. It
// does not say whether it would regenerate one, so nothing here relies on that.
type closedError struct{ resource string }

func (c *closedError) Error() string {
	return fmt.Sprintf("Azure shows no key of %q while its key authentication is off: give that back first (key.restore)", c.resource)
}

// orClosed gives that answer its name.
func (p *Provider) orClosed(err error) error {
	var api *azcore.ResponseError
	if errors.As(err, &api) && api.StatusCode == http.StatusBadRequest && strings.Contains(api.Error(), "disableLocalAuth") {
		return keys.Permanent(&closedError{p.cfg.Resource})
	}
	return err
}

func isClosed(err error) bool {
	var closed *closedError
	return errors.As(err, &closed)
}

func status(err error) int {
	var api *azcore.ResponseError
	if errors.As(err, &api) {
		return api.StatusCode
	}
	return 0
}

func retryAfter(err error) string {
	var api *azcore.ResponseError
	if !errors.As(err, &api) || api.RawResponse == nil {
		return ""
	}
	return api.RawResponse.Header.Get("Retry-After")
}

// transient reports whether asking at once again makes sense: not when Azure names a time to wait.
func transient(err error) bool {
	if s := status(err); s != 0 {
		return s >= 500 && retryAfter(err) == ""
	}
	var network *url.Error
	return errors.As(err, &network) && !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded)
}

// explain words an error of Azure without URLs and key values, and marks those that repeating cannot mend.
func explain(what string, err error) error {
	if err == nil || keys.IsPermanent(err) {
		return err
	}
	var api *azcore.ResponseError
	if !errors.As(err, &api) {
		var network *url.Error
		if errors.As(err, &network) {
			err = network.Err
		}
		return fmt.Errorf("%s: no usable answer from Azure: %w", what, scrubbed{err})
	}
	text := fmt.Sprintf("%s: Azure answered %d", what, api.StatusCode)
	if api.ErrorCode != "" {
		text += " " + cut(api.ErrorCode)
	}
	if after := retryAfter(err); after != "" {
		text += fmt.Sprintf(" (retry after %s s)", after)
	}
	if s := api.StatusCode; s >= 300 && s < 500 && s != http.StatusRequestTimeout && s != http.StatusConflict && s != http.StatusTooManyRequests {
		return keys.Permanent(scrubbed{errors.New(text)})
	}
	return scrubbed{errors.New(text)}
}

// cut bounds what others wrote.
func cut(s string) string {
	if len(s) > 200 {
		return s[:200] + "…"
	}
	return s
}

var keyShape = regexp.MustCompile(`[0-9A-Za-z]{28,}`)

// scrubbed prints an error with everything that looks like a key or token cut short.
type scrubbed struct{ err error }

func (s scrubbed) Error() string { return keyShape.ReplaceAllString(s.err.Error(), "…") }

// Unwrap gives the end of a context alone: the inner error may print the key.
func (s scrubbed) Unwrap() error {
	for _, end := range []error{context.Canceled, context.DeadlineExceeded} {
		if errors.Is(s.err, end) {
			return end
		}
	}
	return nil
}
