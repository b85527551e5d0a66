package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"github.com/tourniquet-ir/tourniquet/internal/signoff"
)

// unreachable is a server that did not answer; watching goes on after it.
type unreachable struct {
	base string
	err  error
}

func (u *unreachable) Error() string {
	err := u.err
	if as := new(url.Error); errors.As(err, &as) {
		err = as.Err // without the address, which is said already
	}
	return fmt.Sprintf("tourniquet does not answer at %s (%v); is serve running there?", u.base, err)
}

// answerError is a refusal of the server in its own words.
type answerError struct {
	Status int    `json:"status"`
	Title  string `json:"title"`
	Detail string `json:"detail"`
	Code   string `json:"code"`
}

func (a *answerError) Error() string {
	switch {
	case a.Detail != "":
		return a.Detail
	case a.Title != "":
		return a.Title
	}
	return fmt.Sprintf("the server answered with status %d", a.Status)
}

// refused turns a problem document into a sentence and an exit code.
func (r *remote) refused(res *http.Response) error {
	a := &answerError{}
	raw, _ := io.ReadAll(io.LimitReader(res.Body, maxProblem)) // what is not readable is told by its status
	if json.Unmarshal(raw, a) != nil {
		a = &answerError{}
	}
	a.Status = res.StatusCode
	a.Detail = visible(a.Detail)
	switch {
	case res.StatusCode == http.StatusUnauthorized:
		return &coded{exitNoAuth, a}
	case a.Code == "unavailable": // the desk could not ask whom it must ask
		return a
	case a.Code == signoff.ExpiredCode || a.Code == signoff.LapsedCode:
		return &coded{exitWaiting, a}
	case res.StatusCode == http.StatusForbidden || res.StatusCode == http.StatusConflict:
		return &coded{exitPolicy, a}
	case res.StatusCode == http.StatusBadRequest || res.StatusCode == http.StatusUnprocessableEntity:
		return &coded{exitMisuse, a}
	case res.StatusCode/100 == 3:
		return fmt.Errorf("%s sends us elsewhere, which a token does not follow; give --server the address where it really is", r.base)
	}
	return a
}
