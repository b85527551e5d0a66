package seal

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"strings"
)

// Redacted stands where a secret stood.
const Redacted = "[redacted]"

// minDerived is the shortest encoded form worth looking for: shorter ones hit ordinary words.
const minDerived = 6

// Redact blackens every place where a secret shows: as it is, in base64 (both alphabets, also inside a longer encoded
// text, whatever its position there), in hex, escaped for a URL or for JSON. Places that overlap become one.
func Redact(text string, secrets ...[]byte) string { return NewRedactor(secrets...).Redact(text) }

// Redactor blackens the same secrets in many texts.
type Redactor struct {
	forms    []string
	shortest int
}

// NewRedactor lists how the secrets may be written. It holds them: keep it no longer than they are needed.
func NewRedactor(secrets ...[]byte) Redactor {
	r := Redactor{}
	seen := map[string]bool{}
	for _, s := range secrets {
		if seen[string(s)] {
			continue
		}
		seen[string(s)] = true
		for _, form := range forms(s) {
			if r.forms = append(r.forms, form); r.shortest == 0 || len(form) < r.shortest {
				r.shortest = len(form)
			}
		}
	}
	return r
}

// Blank reports whether there is nothing to blacken.
func (r Redactor) Blank() bool { return len(r.forms) == 0 }

// Redact blackens one text.
func (r Redactor) Redact(text string) string {
	if len(text) < r.shortest {
		return text
	}
	var hidden []bool
	for _, form := range r.forms {
		for at := 0; ; at++ {
			i := strings.Index(text[at:], form)
			if i < 0 {
				break
			}
			at += i
			if hidden == nil {
				hidden = make([]bool, len(text))
			}
			for j := at; j < at+len(form); j++ {
				hidden[j] = true
			}
		}
	}
	if hidden == nil {
		return text
	}
	return blacken(text, hidden)
}

func blacken(text string, hidden []bool) string {
	var out strings.Builder
	for i := 0; i < len(text); i++ {
		switch {
		case !hidden[i]:
			out.WriteByte(text[i])
		case i == 0 || !hidden[i-1]:
			out.WriteString(Redacted)
		}
	}
	return out.String()
}

// forms lists how a secret may be written.
func forms(secret []byte) []string {
	if len(secret) == 0 {
		return nil
	}
	raw := string(secret)
	derived := []string{
		hex.EncodeToString(secret), strings.ToUpper(hex.EncodeToString(secret)),
		url.QueryEscape(raw), url.PathEscape(raw),
		base64.StdEncoding.EncodeToString(secret), base64.URLEncoding.EncodeToString(secret),
	}
	if quoted, err := json.Marshal(raw); err == nil {
		derived = append(derived, string(quoted[1:len(quoted)-1]))
	}
	for offset := range 3 {
		derived = append(derived, within(base64.RawStdEncoding, secret, offset), within(base64.RawURLEncoding, secret, offset))
	}
	out := []string{raw}
	for _, d := range derived {
		if len(d) >= minDerived && d != raw {
			out = append(out, d)
		}
	}
	return out
}

// within gives the characters that are sure to appear when the secret begins offset bytes (modulo 3) into an encoded
// text: those at the edges that also depend on its neighbours are left out.
func within(enc *base64.Encoding, secret []byte, offset int) string {
	padded := append(make([]byte, offset), secret...)
	text := enc.EncodeToString(padded)
	if offset > 0 {
		text = text[min(offset+1, len(text)):]
	}
	if len(padded)%3 != 0 && text != "" {
		text = text[:len(text)-1]
	}
	return text
}

// minHint is the length in bytes from which eight characters say little about the rest.
const minHint = 20

// Hint is the first and last four characters, as "AIza…9xQ2", by which people recognise a key. Shorter secrets, and
// those that are not plain text, give only "…".
func Hint(secret []byte) string {
	if len(secret) < minHint {
		return "…"
	}
	first, last := secret[:4], secret[len(secret)-4:]
	for _, c := range append(append([]byte{}, first...), last...) {
		if c <= ' ' || c > '~' {
			return "…"
		}
	}
	return string(first) + "…" + string(last)
}
