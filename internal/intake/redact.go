package intake

import (
	"encoding/json"

	"github.com/tourniquet-ir/tourniquet/internal/seal"
)

// redactJSON blackens the secret in a finding: first inside each JSON string as its reader would see it, because JSON can
// write one value in many ways (\u0041 for A), then in the bytes as they stand.
func redactJSON(body, secret []byte) []byte {
	out := make([]byte, 0, len(body))
	for i := 0; i < len(body); {
		if body[i] != '"' {
			out = append(out, body[i])
			i++
			continue
		}
		end := literalEnd(body, i)
		out = append(out, redactLiteral(body[i:end], secret)...)
		i = end
	}
	return []byte(seal.Redact(string(out), secret))
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

func redactLiteral(literal, secret []byte) []byte {
	var text string
	if json.Unmarshal(literal, &text) != nil {
		return literal
	}
	clean := seal.Redact(text, secret)
	if clean == text {
		return literal
	}
	quoted, err := json.Marshal(clean)
	if err != nil {
		return []byte(`"` + seal.Redacted + `"`)
	}
	return quoted
}
