package diag

import (
	"encoding/json"
	"fmt"
	"sort"
)

// Severities. Only an Error refuses a file.
const (
	Error   = "error"
	Warning = "warning"
)

// Fault is one thing wrong at one place. Line and Column count from 1, columns in characters.
type Fault struct {
	File     string `json:"file"`
	Line     int    `json:"line"`
	Column   int    `json:"column"`
	Rule     string `json:"rule"`
	Severity string `json:"severity"`
	Message  string `json:"message"`
	Hint     string `json:"hint"`
	Hide     bool   `json:"-"` // the source line may hold a secret and is never printed
}

// String is the first line of the fault, as compilers print it.
func (f Fault) String() string {
	return fmt.Sprintf("%s:%d:%d: %s: %s [%s]", clean(f.File), f.Line, f.Column, f.Severity, clean(f.Message), f.Rule)
}

// Sort orders faults by file, place, rule and message, and drops exact repeats.
func Sort(faults []Fault) []Fault {
	sort.SliceStable(faults, func(i, j int) bool {
		a, b := faults[i], faults[j]
		switch {
		case a.File != b.File:
			return a.File < b.File
		case a.Line != b.Line:
			return a.Line < b.Line
		case a.Column != b.Column:
			return a.Column < b.Column
		case a.Rule != b.Rule:
			return a.Rule < b.Rule
		}
		return a.Message < b.Message
	})
	out := faults[:0]
	for i, f := range faults {
		if i == 0 || f != faults[i-1] {
			out = append(out, f)
		}
	}
	return out
}

// HasErrors reports whether any fault refuses the file.
func HasErrors(faults []Fault) bool {
	for _, f := range faults {
		if f.Severity == Error {
			return true
		}
	}
	return false
}

// JSON is the faults as an array, never null.
func JSON(faults []Fault) ([]byte, error) {
	if faults == nil {
		faults = []Fault{}
	}
	return json.MarshalIndent(faults, "", "  ")
}
