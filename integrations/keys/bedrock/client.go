package bedrock

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

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/integrations/keys/tape"
)

// judgeAnswer hides from the SDK what AWS did not send: for many calls the SDK believes any 200, whatever its body says.
func judgeAnswer(res *http.Response, body []byte) error {
	if res.StatusCode >= 300 {
		return nil
	}
	body = bytes.TrimSpace(body)
	switch kind := res.Header.Get("Content-Type"); {
	case strings.Contains(kind, "xml"):
		start := body[:min(len(body), 200)]
		if bytes.Contains(start, []byte("Response")) && !bytes.Contains(start, []byte("<ErrorResponse")) && bytes.HasSuffix(body, []byte(">")) {
			return nil
		}
	case strings.Contains(kind, "json"):
		if len(body) > 0 && body[0] == '{' && json.Valid(body) {
			return nil
		}
	}
	return fmt.Errorf("%w: %d of type %q", tape.ErrStrange, res.StatusCode, res.Header.Get("Content-Type"))
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

func status(err error) int {
	var answer *awshttp.ResponseError
	if errors.As(err, &answer) {
		return answer.HTTPStatusCode()
	}
	return 0
}

// code is AWS's word for an error, "" for none.
func code(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return ""
}

// gone reports that what was asked for does not exist.
func gone(err error) bool { return strings.HasPrefix(code(err), "NoSuchEntity") }

// throttled reports that AWS wants us to wait.
func throttled(err error) bool {
	return status(err) == http.StatusTooManyRequests || strings.Contains(code(err), "Throttl") || strings.Contains(code(err), "TooManyRequests") || code(err) == "RequestLimitExceeded"
}

// transient reports whether asking at once again makes sense: not when AWS wants us to wait.
func transient(err error) bool {
	if keys.IsPermanent(err) || throttled(err) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return false
	}
	var network *url.Error
	return status(err) >= 500 || errors.As(err, &network) && status(err) == 0
}

// lasting are AWS's words for what a repeat cannot mend.
func lasting(err error) bool {
	if throttled(err) {
		return false
	}
	switch code(err) {
	case "ConcurrentModification", "ConcurrentModificationException", "EntityTemporarilyUnmodifiable", "EntityTemporarilyUnmodifiableException":
		return false
	case "LimitExceeded", "LimitExceededException", "DeleteConflict", "EntityAlreadyExists":
		return true
	}
	s := status(err)
	return s >= 300 && s < 500 && s != http.StatusRequestTimeout && s != http.StatusConflict
}

// explain words an error of AWS without URLs and key values, and marks those that repeating cannot mend.
func explain(what string, err error) error {
	if err == nil || keys.IsPermanent(err) {
		return err
	}
	if code(err) == "" && status(err) == 0 {
		var network *url.Error
		if errors.As(err, &network) {
			err = network.Err
		}
		return fmt.Errorf("%s: no usable answer from AWS: %w", what, scrub(err))
	}
	text := fmt.Sprintf("%s: AWS answered %d", what, status(err))
	var api smithy.APIError
	if errors.As(err, &api) {
		text += " " + api.ErrorCode()
		if m := api.ErrorMessage(); m != "" {
			text += fmt.Sprintf(": %q", cut(m))
		}
	}
	var answer *awshttp.ResponseError
	if errors.As(err, &answer) && answer.Response != nil {
		if after := answer.Response.Header.Get("Retry-After"); after != "" {
			text += fmt.Sprintf(" (retry after %s s)", after)
		}
	}
	if lasting(err) {
		return keys.Permanent(scrub(errors.New(text)))
	}
	return scrub(errors.New(text))
}

// cut bounds what others wrote.
func cut(s string) string {
	if len(s) > 500 {
		return s[:500] + "…"
	}
	return s
}

var keyShape = regexp.MustCompile(`(ABSK|bedrock-api-key-)[0-9A-Za-z+/=_-]{8,}|[0-9A-Za-z/+]{40,}`)

// scrub prints an error with everything that looks like a secret cut short.
func scrub(err error) error { return scrubbed{err} }

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
