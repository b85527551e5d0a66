package sources

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"unicode/utf8"
)

// checkShape walks the JSON once before it is decoded: one object, not too deep, nothing behind it, and no key twice in
// one object, of which two readers see two things. Strict formats also refuse keys that are not in lower case, which
// encoding/json would take for the same field.
func checkShape(body []byte, strict bool) error {
	return checkWhole(body, json.Delim('{'), strict, "a JSON object")
}

// checkList is checkShape for an array.
func checkList(body []byte) error { return checkWhole(body, json.Delim('['), false, "a JSON array") }

func checkWhole(body []byte, first json.Delim, strict bool, what string) error {
	if len(body) > MaxBody {
		return &RefusedError{http.StatusRequestEntityTooLarge, fmt.Sprintf("the body is larger than %d bytes", MaxBody)}
	}
	if !utf8.Valid(body) {
		return refuse("the body is not UTF-8")
	}
	w := walker{dec: json.NewDecoder(bytes.NewReader(body)), strict: strict}
	w.dec.UseNumber()
	token, err := w.dec.Token()
	if err != nil || token != first {
		return refuse("the body is not %s", what)
	}
	if first == '{' {
		err = w.object(1)
	} else {
		err = w.list(1)
	}
	if err != nil {
		return err
	}
	if _, err := w.dec.Token(); err != io.EOF {
		return refuse("there is more behind %s", what)
	}
	return nil
}

type walker struct {
	dec    *json.Decoder
	strict bool
}

func (w walker) object(depth int) error {
	seen := map[string]bool{}
	for w.dec.More() {
		token, err := w.dec.Token()
		key, isText := token.(string)
		if err != nil || !isText {
			return refuse("the body is not well-formed JSON")
		}
		if seen[key] {
			return refuse("the key %q appears twice in one object", cut(key, 60))
		}
		if w.strict && key != strings.ToLower(key) {
			return refuse("the field %q is not known: fields are written in lower case", cut(key, 60))
		}
		seen[key] = true
		if err := w.value(depth); err != nil {
			return err
		}
	}
	return w.end()
}

func (w walker) list(depth int) error {
	for w.dec.More() {
		if err := w.value(depth); err != nil {
			return err
		}
	}
	return w.end()
}

func (w walker) value(depth int) error {
	token, err := w.dec.Token()
	if err != nil {
		return refuse("the body is not well-formed JSON")
	}
	delim, isDelim := token.(json.Delim)
	if !isDelim {
		return nil
	}
	if depth >= maxDepth {
		return refuse("the body is nested more than %d levels deep", maxDepth)
	}
	if delim == '{' {
		return w.object(depth + 1)
	}
	return w.list(depth + 1)
}

func (w walker) end() error {
	if _, err := w.dec.Token(); err != nil {
		return refuse("the body is not well-formed JSON")
	}
	return nil
}

func cut(s string, limit int) string {
	if r := []rune(s); len(r) > limit {
		return string(r[:limit-1]) + "…"
	}
	return s
}
