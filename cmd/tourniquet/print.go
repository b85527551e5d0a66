package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/report"
)

// visible keeps foreign text from steering the terminal.
func visible(s string) string { return string(report.Neutral([]byte(s))) }

// say prints a line of the answer.
func (sh *shell) say(format string, args ...any) error {
	_, err := fmt.Fprintln(sh.Out, visible(fmt.Sprintf(format, args...)))
	return err
}

// talk prints a line of talk.
func (sh *shell) talk(format string, args ...any) {
	_, _ = fmt.Fprintln(sh.Talk, visible(fmt.Sprintf(format, args...)))
}

// table prints aligned columns; a cell stays on its line.
func (sh *shell) table(head []string, rows [][]string) error {
	var b bytes.Buffer
	w := tabwriter.NewWriter(&b, 0, 4, 2, ' ', 0)
	for _, row := range append([][]string{head}, rows...) {
		cells := make([]string, len(row))
		for i, c := range row {
			if cells[i] = strings.Join(strings.Fields(c), " "); cells[i] == "" {
				cells[i] = "-"
			}
			cells[i] = visible(cells[i])
		}
		_, _ = fmt.Fprintln(w, strings.Join(cells, "\t")) // into memory
	}
	_ = w.Flush()
	_, err := io.WriteString(sh.Out, b.String())
	return err
}

// printJSON prints a value of our own.
func (sh *shell) printJSON(v any) error {
	raw, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return sh.printRaw(raw)
}

// printRaw prints JSON that somebody made, indented.
func (sh *shell) printRaw(raw []byte) error {
	var b bytes.Buffer
	if err := json.Indent(&b, bytes.TrimSpace(raw), "", "  "); err != nil {
		return fmt.Errorf("the server did not answer with JSON: %w", err)
	}
	_, err := sh.Out.Write(append(report.Neutral(b.Bytes()), '\n'))
	return err
}

// stamp is a moment for tables, "-" where there is none.
func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04:05Z")
}

// left says how long it is until a moment.
func left(until, now time.Time) string {
	d := until.Sub(now).Round(time.Second)
	if d <= 0 {
		return "passed"
	}
	return "in " + d.String()
}

// printLine prints a value as one line of JSON, for streams.
func (sh *shell) printLine(v any) error {
	raw, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = sh.Out.Write(append(report.Neutral(raw), '\n'))
	return err
}
