package rest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/integrations/keys/tape"
	"github.com/tourniquet-ir/tourniquet/internal/outbound"
)

// Fault is a call that did not do what was asked for.
type Fault struct {
	Status int    // 0 when no answer came
	Code   string // the service's own
	wait   string // Retry-After
	text   string
	end    error // the end of a context, where that is why
	large  bool  // the answer was too large
}

func (f *Fault) Error() string { return f.text }

// Unwrap gives the end of a context alone: what lies deeper may print a key.
func (f *Fault) Unwrap() error { return f.end }

// Status of the answer behind err; 0 when there was none.
func Status(err error) int {
	var f *Fault
	if errors.As(err, &f) {
		return f.Status
	}
	return 0
}

// Code of the answer behind err, as the service words it.
func Code(err error) string {
	var f *Fault
	if errors.As(err, &f) {
		return f.Code
	}
	return ""
}

// Transient reports whether asking at once again makes sense.
func Transient(err error) bool {
	var f *Fault
	if !errors.As(err, &f) || f.end != nil || keys.IsPermanent(err) {
		return false
	}
	return f.wait == "" && (f.Status == 0 || f.Status >= 500)
}

// Refusal is an answer that a client library has read already.
type Refusal struct {
	Status              int
	Code, Message, Wait string
}

// Refused words a refusal.
func Refused(what, who string, r Refusal, shape *regexp.Regexp) error {
	text := fmt.Sprintf("%s: %s answered %d", what, who, r.Status)
	if r.Code != "" {
		text += " " + short(r.Code)
	}
	if r.Message != "" {
		text += fmt.Sprintf(": %q", short(r.Message))
	}
	if r.Wait != "" {
		text += fmt.Sprintf(" (retry after %s s)", short(r.Wait))
	}
	if r.Status >= 300 && r.Status < 400 {
		text += "; " + outbound.ErrElsewhere.Error()
	}
	f := &Fault{Status: r.Status, Code: r.Code, wait: r.Wait, text: Scrub(text, shape)}
	if lasting(r.Status) {
		return permanent(f)
	}
	return f
}

// Unanswered words a call that brought no usable answer.
func Unanswered(what, who string, err error, shape *regexp.Regexp) error {
	var network *url.Error
	if errors.As(err, &network) {
		err = network.Err
	}
	f := &Fault{text: Scrub(fmt.Sprintf("%s: no usable answer from %s: %s", what, who, short(err.Error())), shape)}
	for _, end := range []error{context.Canceled, context.DeadlineExceeded} {
		if errors.Is(err, end) {
			f.end = end
		}
	}
	if f.large = errors.Is(err, tape.ErrLarge); f.large || errors.Is(err, outbound.ErrElsewhere) {
		return permanent(f) // asking again brings the same
	}
	return f
}

func (c *Client) fault(what string, err error) error {
	return Unanswered(what, c.opt.Who, err, c.opt.KeyShape)
}

func (c *Client) refused(what string, status int, header http.Header, body []byte) error {
	code, message := "", ""
	if c.opt.Words != nil {
		code, message = c.opt.Words(body)
	}
	if status < 300 {
		err := fmt.Errorf("%w: %d with an error inside: %s %s", tape.ErrStrange, status, short(code), short(message))
		return c.fault(what, err)
	}
	return Refused(what, c.opt.Who, Refusal{Status: status, Code: code, Message: message, Wait: header.Get("Retry-After")}, c.opt.KeyShape)
}

// lasting are the statuses that asking again does not change.
func lasting(status int) bool {
	switch status {
	case http.StatusRequestTimeout, http.StatusConflict, http.StatusTooEarly, http.StatusTooManyRequests:
		return false
	}
	return status >= 300 && status < 500
}

func permanent(err error) error { return keys.Permanent(err) }

// mostWords bounds what a service says in an error: it is shown to people and kept.
const mostWords = 300

func short(text string) string {
	if r := []rune(text); len(r) > mostWords {
		return string(r[:mostWords-1]) + "…"
	}
	return text
}

// Scrub cuts everything that has the shape of a key.
func Scrub(text string, shape *regexp.Regexp) string {
	if shape == nil {
		return text
	}
	return shape.ReplaceAllStringFunc(text, func(key string) string { return key[:min(len(key), 3)] + "…" })
}

// TooLarge reports whether err is about an answer that was larger than what is read of one.
func TooLarge(err error) bool {
	var f *Fault
	return errors.As(err, &f) && f.large
}
