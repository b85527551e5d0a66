package api

import (
	"errors"
	"net/http"
)

// Problem is an answer that is not good, as RFC 9457 writes it.
type Problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Code   string `json:"code,omitempty"` // stable, for programs
	Detail string `json:"detail"`         // a sentence, for people
}

func (p *Problem) Error() string { return p.Detail }

// Fault is a problem with a status, a stable code and a sentence that a stranger can act on.
func Fault(status int, code, detail string) *Problem {
	return &Problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Code: code, Detail: detail}
}

// Malformed says what is wrong with a request of which nothing was done.
func Malformed(detail string) *Problem {
	return Fault(http.StatusUnprocessableEntity, "malformed", detail)
}

// Refuse answers with the problem; an error that is none was not meant for strangers and is not shown.
func Refuse(w http.ResponseWriter, err error) {
	var p *Problem
	if !errors.As(err, &p) {
		p = Fault(http.StatusInternalServerError, "records", "The records could not be read; the log says why.")
	}
	w.Header().Set("Content-Type", "application/problem+json")
	Send(w, p.Status, p)
}
