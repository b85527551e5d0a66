package report

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/tourniquet-ir/tourniquet/internal/database"
)

// CSV is the timeline of a run for spreadsheets.
func CSV(ctx context.Context, db *database.DB, run string) ([]byte, error) {
	f, err := Load(ctx, db, run)
	if err != nil {
		return nil, err
	}
	return f.CSV()
}

// CSV is the same of facts that are loaded.
func (f *Facts) CSV() ([]byte, error) {
	rows := [][]string{{"seq", "utc", "since_alert", "lane", "kind", "actor", "step", "bad", "what", "hash"}}
	for _, m := range f.Timeline {
		rows = append(rows, []string{strconv.FormatInt(m.Seq, 10), m.At.UTC().Format(time.RFC3339Nano), m.Since, m.Lane, m.Kind, m.Actor, m.Step, strconv.FormatBool(m.Bad), m.Say, m.Hash})
	}
	return sheet(rows)
}

// sheet writes rows so that no spreadsheet takes a cell for a formula, a link or two cells.
func sheet(rows [][]string) ([]byte, error) {
	var out bytes.Buffer
	w := csv.NewWriter(&out)
	for _, row := range rows {
		safe := make([]string, len(row))
		for i, cell := range row {
			safe[i] = inert(cell)
		}
		if err := w.Write(safe); err != nil {
			return nil, fmt.Errorf("table: %w", err)
		}
	}
	w.Flush()
	return Neutral(out.Bytes()), w.Error()
}

// formulas are the first letters by which spreadsheets know a formula; those of full width are folded to them by some.
const formulas = "=+-@|%＝＋－＠"

// inert is one line that begins with nothing that a spreadsheet runs: such a cell gets an apostrophe, which spreadsheets
// show as text. What cannot be seen is made visible first, so that nothing hides in front of an equals sign.
func inert(cell string) string {
	cell = strings.Join(strings.FieldsFunc(string(Neutral([]byte(cell))), func(r rune) bool { return r == '\n' || r == '\r' || r == '\t' }), " ")
	first := strings.TrimLeftFunc(cell, func(r rune) bool { return unicode.IsSpace(r) || r == '"' || r == '\'' })
	if first != "" && strings.ContainsRune(formulas, []rune(first)[0]) {
		return "'" + cell
	}
	return cell
}
