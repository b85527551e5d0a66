package sources

import (
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"
)

const mediaJSON = "application/json"

// CheckEnvelope refuses bodies that are too large, compressed, of another type than the source's card says, or not
// UTF-8. Compressed bodies are refused whole: no sender that we know compresses, and a small one can hide a huge one.
func CheckEnvelope(r Request, media []string) error {
	if len(r.Body) > MaxBody {
		return &RefusedError{http.StatusRequestEntityTooLarge, fmt.Sprintf("the body is larger than %d bytes", MaxBody)}
	}
	for _, c := range r.Headers.Values("Content-Encoding") {
		if !strings.EqualFold(strings.TrimSpace(c), "identity") {
			return &RefusedError{http.StatusUnsupportedMediaType, "the body is compressed; send it as it is, without Content-Encoding"}
		}
	}
	kind, params, err := mime.ParseMediaType(r.Headers.Get("Content-Type"))
	if err != nil || !slices.Contains(media, kind) {
		return &RefusedError{http.StatusUnsupportedMediaType, "the Content-Type must be " + strings.Join(media, " or ")}
	}
	if c := strings.ToLower(params["charset"]); c != "" && c != "utf-8" && c != "us-ascii" {
		return &RefusedError{http.StatusUnsupportedMediaType, "the charset must be utf-8"}
	}
	if !utf8.Valid(r.Body) {
		return refuse("the body is not UTF-8")
	}
	return nil
}

// decodeJSON reads one object into v after its shape was checked; its errors never quote a value.
func decodeJSON(body []byte, v any, strict bool) error {
	if err := checkShape(body, strict); err != nil {
		return err
	}
	return unmarshal(body, v, strict)
}

// decodeList reads an array of objects, each as the bytes that it came in.
func decodeList(body []byte) ([]json.RawMessage, error) {
	if err := checkList(body); err != nil {
		return nil, err
	}
	var list []json.RawMessage
	if err := unmarshal(body, &list, false); err != nil {
		return nil, err
	}
	return list, tooMany(len(list))
}

func tooMany(n int) error {
	if n > MaxFindings {
		return refuse("the delivery holds more than %d findings; send them in parts", MaxFindings)
	}
	return nil
}

func unmarshal(body []byte, v any, strict bool) error {
	d := json.NewDecoder(strings.NewReader(string(body)))
	if strict {
		d.DisallowUnknownFields()
	}
	err := d.Decode(v)
	var wrong *json.UnmarshalTypeError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &wrong):
		return refuse("the field %q has the wrong type: %s is wanted", cut(wrong.Field, 100), wrong.Type)
	}
	if field, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		return refuse("the field %s is not known", cut(field, 100))
	}
	return refuse("a field of the body cannot be read")
}
