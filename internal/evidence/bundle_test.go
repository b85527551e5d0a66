package evidence_test

import (
	"bytes"
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/tourniquet-ir/tourniquet/internal/evidence"
)

func TestAGoodBundleVerifies(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	for name, raw := range map[string][]byte{"as written": d.raw, "packed again": d.pack()} {
		s, err := d.verify(raw)
		if err != nil || s.Run != "run-1" || s.Entries != 5 || s.Head.Seq != 5 || s.Files != 3 || s.KeyID != "export-1" {
			t.Errorf("%s: %+v, %v", name, s, err)
		}
	}
}

func TestARedactedBundleVerifiesAndTellsNothing(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	full := string(d.part("manifest.json").body)
	d.write(&evidence.Redaction{Keep: []string{"report.*"}})
	s, err := d.verify(d.raw)
	if err != nil || !s.Redacted || s.Withheld != 1 || s.Erased != 5 || s.Entries != 5 || s.Files != 2 {
		t.Fatalf("%+v, %v", s, err)
	}
	manifest := string(d.part("manifest.json").body)
	digest, salt := between(full, `"name": "evidence/usage.json"`, `"sha256": "`), between(full, `"name": "evidence/usage.json"`, `"salt": "`)
	if len(digest) != 64 || len(salt) != 64 || !strings.Contains(manifest, `"withheld": "`+evidence.Withheld(digest, salt)+`"`) {
		t.Errorf("digest %q and salt %q of the full bundle do not make the commitment in %s", digest, salt, manifest)
	}
	if body := string(d.part("ledger.jsonl").body); strings.Contains(body, `"body"`) || strings.Contains(body, `"salt"`) || !strings.Contains(body, `"commitment"`) {
		t.Errorf("the ledger still tells: %s", body)
	}
	for _, secret := range []string{digest, salt, "12.50"} {
		if strings.Contains(manifest, secret) {
			t.Errorf("the manifest tells %q", secret)
		}
	}
}

// between is the text after two marks up to the next quote.
func between(text, first, second string) string {
	_, text, _ = strings.Cut(text, first)
	_, text, _ = strings.Cut(text, second)
	text, _, _ = strings.Cut(text, `"`)
	return text
}

func TestADamagedLedgerIsNotSigned(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	ledger, head := rows("run-1", 5)
	for name, b := range map[string]evidence.Bundle{
		"cut off":    {Run: "run-1", Ledger: ledger[:4], Head: head},
		"other run":  {Run: "run-2", Ledger: ledger, Head: head},
		"own name":   {Run: "run-1", Ledger: ledger, Head: head, Files: []evidence.File{evidence.Bytes("manifest.json", nil)}},
		"bad name":   {Run: "run-1", Ledger: ledger, Head: head, Files: []evidence.File{evidence.Bytes("../x", nil)}},
		"name twice": {Run: "run-1", Ledger: ledger, Head: head, Files: []evidence.File{evidence.Bytes("ledger.jsonl", nil)}},
	} {
		if err := evidence.Write(io.Discard, b, d.priv, "export-1"); err == nil {
			t.Errorf("%s: signed", name)
		}
	}
}

// TestVerifyingALargeBundleKeepsLittleInMemory is not parallel: it looks at the heap of the whole program.
func TestVerifyingALargeBundleKeepsLittleInMemory(t *testing.T) {
	d := newDesk(t)
	ledger, head := rows("run-1", 5)
	const size = 64 << 20
	var b bytes.Buffer
	big := evidence.File{Name: "big.bin", Open: func() (io.ReadCloser, error) { return io.NopCloser(io.LimitReader(zeros{}, size)), nil }}
	if err := evidence.Write(&b, evidence.Bundle{Run: "run-1", Ledger: ledger, Head: head, Files: []evidence.File{big}}, d.priv, "export-1"); err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if s, err := d.verify(b.Bytes()); err != nil || s.Bytes < size {
		t.Fatalf("%+v, %v", s, err)
	}
	runtime.ReadMemStats(&after)
	if used := after.TotalAlloc - before.TotalAlloc; used > 4<<20 {
		t.Errorf("verifying %d bytes allocated %d", size, used)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }
