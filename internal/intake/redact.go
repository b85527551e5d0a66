package intake

import (
	"encoding/base64"
	"encoding/json"
	"strings"

	"github.com/tourniquet-ir/tourniquet/internal/seal"
)

// maxWraps is how often one text may lie inside another: SNS and Pub/Sub carry JSON inside a string of JSON.
const maxWraps = 3

// redactJSON blackens secrets in a finding: first inside each JSON string as its reader would see it, because JSON can
// write one value in many ways (\u0041 for A), then in the bytes as they stand.
func redactJSON(body []byte, black seal.Redactor) []byte {
	if black.Blank() {
		return body
	}
	return redactWrapped(body, black, maxWraps)
}

func redactWrapped(body []byte, black seal.Redactor, wraps int) []byte {
	out := make([]byte, 0, len(body))
	for i := 0; i < len(body); {
		if body[i] != '"' {
			out = append(out, body[i])
			i++
			continue
		}
		end := literalEnd(body, i)
		out = append(out, redactLiteral(body[i:end], black, wraps)...)
		i = end
	}
	return []byte(black.Redact(string(out)))
}

// literalEnd is the index behind the string that begins at start.
func literalEnd(body []byte, start int) int {
	for i := start + 1; i < len(body); i++ {
		switch body[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(body)
}

func redactLiteral(literal []byte, black seal.Redactor, wraps int) []byte {
	var text string
	if json.Unmarshal(literal, &text) != nil {
		return literal
	}
	clean := redactText(text, black, wraps)
	if clean == text {
		return literal
	}
	quoted, err := json.Marshal(clean)
	if err != nil {
		return []byte(`"` + seal.Redacted + `"`)
	}
	return quoted
}

// redactText looks into texts that are JSON again, as they stand or in base64.
func redactText(text string, black seal.Redactor, wraps int) string {
	if wraps == 0 {
		return black.Redact(text)
	}
	if isJSON(text) {
		text = string(redactWrapped([]byte(text), black, wraps-1))
	} else if inner, err := base64.StdEncoding.DecodeString(text); err == nil && isJSON(string(inner)) {
		if clean := redactWrapped(inner, black, wraps-1); string(clean) != string(inner) {
			text = base64.StdEncoding.EncodeToString(clean)
		}
	}
	return black.Redact(text)
}

func isJSON(text string) bool {
	t := strings.TrimSpace(text)
	return t != "" && (t[0] == '{' || t[0] == '[') && json.Valid([]byte(t))
}
