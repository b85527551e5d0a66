package main

import (
	"errors"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/diag"
	"github.com/tourniquet-ir/tourniquet/internal/starter"
)

// served is what GET /v1/playbooks answers: what is in force, and why the files of the folder are not.
type served struct {
	Items   []described `json:"items"`
	Trouble *unserved   `json:"trouble,omitempty"`
}

// unserved is a folder that cannot be used; the playbooks listed beside it are the last good ones.
type unserved struct {
	Since  time.Time    `json:"since"`
	Error  string       `json:"error"`
	Faults []diag.Fault `json:"faults,omitempty"`
}

func serving(books *starter.Shelf) served {
	out := served{Items: []described{}}
	for _, p := range books.Library().Programs {
		out.Items = append(out.Items, describedOf(p))
	}
	if t := books.Trouble(); t != nil {
		out.Trouble = &unserved{Since: t.Since, Error: t.Err.Error()}
		var broken *starter.Broken
		if errors.As(t.Err, &broken) {
			out.Trouble.Faults = broken.Faults
		}
	}
	return out
}
