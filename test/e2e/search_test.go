package e2e

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/tourniquet-ir/tourniquet/internal/sandbox"
)

// part is how many characters of a secret may stand nowhere. What people are shown has eight.
const part = 12

// seeker looks for secrets in every form in which they could lie somewhere.
type seeker struct{ forms []form }

type form struct {
	name string
	find []byte
	fold bool // letters of either case
}

// newSeeker prepares the forms of every window of a secret: a whole secret holds them, too.
func newSeeker(secrets ...string) *seeker {
	s := &seeker{}
	for n, secret := range secrets {
		for at := 0; at+part <= len(secret); at++ {
			window := secret[at : at+part]
			name := fmt.Sprintf("secret %d from character %d", n+1, at+1)
			s.forms = append(s.forms, form{name, []byte(window), false}, form{name + " in hex", []byte(hex.EncodeToString([]byte(window))), true})
			for offset := range 3 {
				for alphabet, enc := range map[string]*base64.Encoding{"base64": base64.RawStdEncoding, "base64url": base64.RawURLEncoding} {
					s.forms = append(s.forms, form{fmt.Sprintf("%s in %s at offset %d", name, alphabet, offset), inner(enc, window, offset), false})
				}
			}
		}
	}
	return s
}

// inner is what base64 shows of text wherever it stands at this offset of three: the ends depend on its neighbours.
func inner(enc *base64.Encoding, text string, offset int) []byte {
	all := enc.EncodeToString(append(bytes.Repeat([]byte{0}, offset), text...))
	first := []int{0, 2, 3}[offset]
	last := len(all)
	if (offset+len(text))%3 != 0 {
		last--
	}
	return []byte(all[first:last])
}

// in lists what was found in a place, also within archives and compressed streams.
func (s *seeker) in(data []byte) (found []string) {
	low := bytes.ToLower(data)
	for _, f := range s.forms {
		if bytes.Contains(data, f.find) || f.fold && bytes.Contains(low, f.find) {
			found = append(found, f.name)
		}
	}
	if z, err := zip.NewReader(bytes.NewReader(data), int64(len(data))); err == nil {
		for _, file := range z.File {
			found = append(found, s.within(file.Name, file.Open)...)
		}
	}
	for rest := data; ; {
		at := bytes.Index(rest, []byte{0x1f, 0x8b, 8})
		if at < 0 {
			return found
		}
		stream := rest[at:]
		found = append(found, s.within("gzip", func() (io.ReadCloser, error) { return gzip.NewReader(bytes.NewReader(stream)) })...)
		rest = rest[at+3:]
	}
}

// within looks into one packed part; what does not unpack whole is searched as far as it does.
func (s *seeker) within(name string, open func() (io.ReadCloser, error)) (found []string) {
	r, err := open()
	if err != nil {
		return nil
	}
	defer func() { _ = r.Close() }()
	data, _ := io.ReadAll(io.LimitReader(r, 64<<20)) // a broken end hides nothing that came before it
	for _, f := range s.in(data) {
		found = append(found, name+": "+f)
	}
	return found
}

func TestAPlantedLeakIsFoundInEveryForm(t *testing.T) {
	t.Parallel()
	secret := sandbox.NewWorld(sandbox.Options{}).NewGeminiKey(sandbox.GeminiKey{Project: "p", Name: "n"}).Secret()
	s := newSeeker("another secret of thirty letters", secret)
	around := func(leak string) []byte { return []byte(`{"before": "` + leak + `", "after": 1}`) }
	packed := func(leak string) []byte {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		_, _ = z.Write(around(leak))
		_ = z.Close()
		return append([]byte("a row before "), b.Bytes()...)
	}
	plants := map[string][]byte{
		"raw": around(secret), "HEX": around(strings.ToUpper(hex.EncodeToString([]byte(secret)))), "hex": around(hex.EncodeToString([]byte(secret))),
		"gzip": packed(secret), "zip": zipped(t, around(secret)), "gzip in zip": zipped(t, packed(secret)),
	}
	for offset := range 3 {
		text := strings.Repeat("x", offset) + secret + "y"
		plants[fmt.Sprintf("base64 at offset %d", offset)] = around(base64.StdEncoding.EncodeToString([]byte(text)))
		plants[fmt.Sprintf("base64url at offset %d", offset)] = around(base64.URLEncoding.EncodeToString([]byte(text)))
	}
	for at := 0; at+part <= len(secret); at++ {
		plants[fmt.Sprintf("%d characters from %d", part, at)] = around(secret[at : at+part])
	}
	for name, data := range plants {
		if len(s.in(data)) == 0 {
			t.Errorf("a leak planted as %s is not found", name)
		}
	}
	for name, data := range map[string][]byte{
		"nothing": around("a word"), "the hint": around(secret[:4] + "…" + secret[len(secret)-4:]), "too little": around(secret[:part-1]), "a zip of nothing": zipped(t, around("a word")),
	} {
		if found := s.in(data); len(found) > 0 {
			t.Errorf("%s is taken for a leak: %v", name, found)
		}
	}
}

func zipped(t *testing.T, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	w, err := z.Create("kept.json")
	if err == nil {
		_, err = w.Write(data)
	}
	if err == nil {
		err = z.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
