package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/google/go-github/v60/github"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
)

// fault turns go-github's error into one sentence without URL or body: its own errors print the whole request.
func fault(what string, status int, err error) error {
	var rate *github.RateLimitError
	var abuse *github.AbuseRateLimitError
	var answer *github.ErrorResponse
	var outer *url.Error
	switch {
	case errors.As(err, &rate):
		return fmt.Errorf("%s: GitHub's rate limit is used up until %s", what, rate.Rate.Reset.UTC().Format(time.RFC3339))
	case errors.As(err, &abuse):
		return fmt.Errorf("%s: GitHub asks to slow down (secondary rate limit)", what)
	case errors.As(err, &answer):
		return answered(what, status, answer)
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("%s: no answer from GitHub in time: %w", what, reason(err))
	case errors.As(err, &outer):
		return fmt.Errorf("%s: GitHub cannot be reached: %w", what, outer.Err)
	case status >= 200 && status < 300:
		// A decoder's error may quote the answer, which may hold a secret: say only that it was unreadable.
		return fmt.Errorf("%s: GitHub answered %d with JSON that cannot be read", what, status)
	}
	return fmt.Errorf("%s: the call to GitHub broke off", what)
}

func answered(what string, status int, answer *github.ErrorResponse) error {
	text := fmt.Sprintf("%s: GitHub answered %d", what, status)
	if m := short(answer.Message); m != "" {
		text += fmt.Sprintf(" (%q)", m)
	}
	switch {
	case status == http.StatusUnauthorized:
		text += "; the token is wrong or expired"
	case status == http.StatusForbidden:
		text += "; the token lacks a permission"
	case status == http.StatusNotFound:
		text += "; it does not exist or the token may not see it"
	case status >= 300 && status < 400:
		text += "; the repository has moved: name its new place"
	}
	err := errors.New(text)
	if status == http.StatusTooManyRequests || status == http.StatusRequestTimeout || status >= 500 {
		return &StatusError{Status: status, Err: err}
	}
	return keys.Permanent(&StatusError{Status: status, Err: err})
}

// StatusError remembers the HTTP status of an answer.
type StatusError struct {
	Status int
	Err    error
}

func (e *StatusError) Error() string { return e.Err.Error() }
func (e *StatusError) Unwrap() error { return e.Err }

// IsStatus reports whether err is an answer with this HTTP status.
func IsStatus(err error, status int) bool {
	var s *StatusError
	return errors.As(err, &s) && s.Status == status
}

// reason strips the URL that net/http wraps around the end of a context.
func reason(err error) error {
	if errors.Is(err, context.Canceled) {
		return context.Canceled
	}
	return context.DeadlineExceeded
}

// short keeps the first words of a message that comes from outside.
func short(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if r := []rune(s); len(r) > 160 {
		s = string(r[:160]) + "…"
	}
	return s
}
