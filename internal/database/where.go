package database

import "strings"

// where names only the conditions that there are: with the others in it, no index could be used.
type where struct {
	parts []string
	args  []any
}

func (w *where) add(given bool, condition string, args ...any) {
	if given {
		w.parts, w.args = append(w.parts, condition), append(w.args, args...)
	}
}

func (w *where) text() string {
	if len(w.parts) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(w.parts, " AND ")
}

// AskedFilter narrows a list of sign-offs or of questions; an empty field lets everything through. Before is the id of the last one
// of the page before.
type AskedFilter struct {
	Run    string
	Open   bool // only those that wait
	Before string
	Limit  int
}

// query lists the records of a table, oldest first: a page of them, or all where there is no limit.
func (f AskedFilter) query(table, open string, args ...any) (string, []any) {
	var w where
	w.add(f.Run != "", "run = ?", f.Run)
	w.add(f.Open, open, args...)
	w.add(f.Before != "", "n > (SELECT n FROM "+table+" WHERE id = ?)", f.Before)
	rows := " FROM " + table + w.text() + " ORDER BY n"
	if f.Limit == 0 {
		return "SELECT doc" + rows, w.args
	}
	// The inner query is answered from an index alone; only a page's records are read.
	return "SELECT doc FROM " + table + " WHERE n IN (SELECT n" + rows + " LIMIT ?) ORDER BY n", append(w.args, atMost(f.Limit))
}
