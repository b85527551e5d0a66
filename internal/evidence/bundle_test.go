package evidence_test

import (
	"archive/zip"
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/database/chain"
	"github.com/tourniquet-ir/tourniquet/internal/evidence"
)

// desk holds a good bundle, taken apart, and the key that signed it.
type desk struct {
	priv    ed25519.PrivateKey
	trusted map[string]ed25519.PublicKey
	files   []part
	raw     []byte
}

type part struct {
	name string
	body []byte
	link bool
}

func rows(run string, n int) ([]chain.Row, chain.Head) {
	var out []chain.Row
	var head chain.Head
	for i := range n {
		body, err := chain.Canonical(map[string]any{"n": i, "text": "<b>&\u2028"})
		if err != nil {
			panic(err)
		}
		salt := bytes.Repeat([]byte{byte(i + 1)}, 32)
		r := chain.Row{Run: run, Seq: int64(i + 1), ID: fmt.Sprint("e", i), Kind: "step", Actor: "system",
			At: time.Date(2026, 11, 23, 12, 0, i, 5000, time.UTC), Salt: salt, Body: body, Commitment: chain.Commit(salt, body), Prev: head.Hash}
		r.Seal()
		head = chain.Head{Seq: r.Seq, Hash: r.Hash}
		out = append(out, r)
	}
	return out, head
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	pub, priv, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	ledger, head := rows("run-1", 5)
	var b bytes.Buffer
	err = evidence.Write(&b, evidence.Bundle{Run: "run-1", Made: time.Now(), Ledger: ledger, Head: head, Files: []evidence.File{
		evidence.Bytes("report.md", []byte("# what happened")), evidence.Bytes("evidence/usage.json", []byte(`{"usd":"12.50"}`)),
	}}, priv, "export-1")
	if err != nil {
		t.Fatal(err)
	}
	d := &desk{priv: priv, trusted: map[string]ed25519.PublicKey{"export-1": pub}, raw: b.Bytes()}
	z, err := zip.NewReader(bytes.NewReader(d.raw), int64(len(d.raw)))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		d.files = append(d.files, part{name: f.Name, body: body})
	}
	return d
}

func (d *desk) part(name string) *part {
	for i := range d.files {
		if d.files[i].name == name {
			return &d.files[i]
		}
	}
	panic("no part " + name)
}

func (d *desk) drop(name string) {
	for i := range d.files {
		if d.files[i].name == name {
			d.files = append(d.files[:i], d.files[i+1:]...)
			return
		}
	}
}

func (d *desk) replace(name, old, with string) {
	p := d.part(name)
	if !bytes.Contains(p.body, []byte(old)) {
		panic(fmt.Sprintf("%q holds no %q", name, old))
	}
	p.body = bytes.Replace(p.body, []byte(old), []byte(with), 1)
}

func (d *desk) lines(change func([]string) []string) {
	p := d.part("ledger.jsonl")
	lines := change(strings.SplitAfter(strings.TrimSuffix(string(p.body), "\n")+"\n", "\n")[:5])
	p.body = []byte(strings.Join(lines, ""))
}

// resign makes the manifest fit the parts again and signs it, as somebody who holds the key could.
func (d *desk) resign(priv ed25519.PrivateKey) {
	var m map[string]any
	if err := json.Unmarshal(d.part("manifest.json").body, &m); err != nil {
		panic(err)
	}
	for _, f := range m["files"].([]any) {
		l := f.(map[string]any)
		body := d.part(l["name"].(string)).body
		sum := sha256.Sum256(body)
		l["sha256"], l["size"] = hex.EncodeToString(sum[:]), len(body)
	}
	body, err := json.Marshal(m)
	if err != nil {
		panic(err)
	}
	d.part("manifest.json").body = body
	d.sign(priv)
}

func (d *desk) sign(priv ed25519.PrivateKey) {
	msg := append([]byte("tourniquet/bundle-manifest/v1\x00"), d.part("manifest.json").body...)
	d.part("manifest.sig").body = []byte(base64.StdEncoding.EncodeToString(ed25519.Sign(priv, msg)) + "\n")
}

func (d *desk) pack(comment string) []byte {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, p := range d.files {
		h := &zip.FileHeader{Name: p.name, Method: zip.Deflate}
		if p.link {
			h.SetMode(0o777 | 1<<27) // fs.ModeSymlink
		}
		w, err := z.CreateHeader(h)
		if err == nil && !strings.HasSuffix(p.name, "/") {
			_, err = w.Write(p.body)
		}
		if err != nil {
			panic(err)
		}
	}
	if err := errors.Join(z.SetComment(comment), z.Close()); err != nil {
		panic(err)
	}
	return b.Bytes()
}

func (d *desk) verify(raw []byte) (evidence.Summary, error) {
	return evidence.Verify(bytes.NewReader(raw), int64(len(raw)), d.trusted)
}

func TestAGoodBundleVerifies(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	for name, raw := range map[string][]byte{"as written": d.raw, "packed again": d.pack("")} {
		s, err := d.verify(raw)
		if err != nil || s.Run != "run-1" || s.Entries != 5 || s.Head.Seq != 5 || s.Files != 3 || s.KeyID != "export-1" {
			t.Errorf("%s: %+v, %v", name, s, err)
		}
	}
}

func TestEveryMutationOfABundleIsNamed(t *testing.T) {
	t.Parallel()
	_, stranger, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	add := func(name string) func(*desk) {
		return func(d *desk) { d.files = append(d.files, part{name: name, body: []byte("x")}) }
	}
	for name, m := range map[string]struct {
		kind string
		do   func(*desk)
	}{
		"evidence changed": {evidence.Changed, func(d *desk) { d.replace("evidence/usage.json", "12.50", "02.50") }},
		"evidence cut":     {evidence.Changed, func(d *desk) { d.replace("report.md", "happened", "") }},
		"evidence grown":   {evidence.Changed, func(d *desk) { d.replace("report.md", "happened", "happened not") }},
		"evidence swapped": {evidence.Changed, func(d *desk) {
			a, b := d.part("report.md"), d.part("evidence/usage.json")
			a.body, b.body = b.body, a.body
		}},
		"evidence a bomb":                 {evidence.Changed, func(d *desk) { d.part("report.md").body = make([]byte, 64<<20) }},
		"evidence removed":                {evidence.Removed, func(d *desk) { d.drop("report.md") }},
		"evidence renamed":                {evidence.Removed, func(d *desk) { d.part("report.md").name = "other.md" }},
		"file added":                      {evidence.Added, add("evidence/more.json")},
		"comment added":                   {evidence.Added, nil},
		"ledger reordered":                {evidence.Reordered, func(d *desk) { d.lines(func(l []string) []string { return []string{l[0], l[2], l[1], l[3], l[4]} }) }},
		"ledger cut off":                  {evidence.CutOff, func(d *desk) { d.lines(func(l []string) []string { return l[:3] }) }},
		"ledger emptied":                  {evidence.CutOff, func(d *desk) { d.part("ledger.jsonl").body = nil }},
		"ledger entry missing":            {evidence.LedgerMissing, func(d *desk) { d.lines(func(l []string) []string { return append(l[:1], l[2:]...) }) }},
		"ledger entry repeated":           {evidence.Added, func(d *desk) { d.lines(func(l []string) []string { return append(l, l[4]) }) }},
		"ledger body changed":             {evidence.LedgerChanged, func(d *desk) { d.replace("ledger.jsonl", `"n":3`, `"n":4`) }},
		"ledger actor changed":            {evidence.LedgerChanged, func(d *desk) { d.replace("ledger.jsonl", `"system"`, `"nobody"`) }},
		"ledger field smuggled":           {evidence.LedgerChanged, func(d *desk) { d.replace("ledger.jsonl", `{"run"`, `{"note":"x","run"`) }},
		"ledger field twice":              {evidence.LedgerChanged, func(d *desk) { d.replace("ledger.jsonl", `{"run"`, `{"actor":"x","run"`) }},
		"ledger reversed":                 {evidence.Reordered, func(d *desk) { d.lines(func(l []string) []string { return []string{l[4], l[3], l[2], l[1], l[0]} }) }},
		"ledger removed":                  {evidence.Removed, func(d *desk) { d.drop("ledger.jsonl") }},
		"ledger cut off and signed again": {evidence.CutOff, func(d *desk) { d.lines(func(l []string) []string { return l[:4] }); d.resign(d.priv) }},
		"ledger body blanked and signed again": {evidence.LedgerChanged, func(d *desk) {
			d.lines(func(l []string) []string {
				var r chain.Row
				if err := json.Unmarshal([]byte(l[1]), &r); err != nil {
					panic(err)
				}
				r.Salt, r.Body = nil, nil
				b, _ := json.Marshal(r)
				l[1] = string(b) + "\n"
				return l
			})
			d.resign(d.priv)
		}},
		"ledger of another run": {evidence.LedgerChanged, func(d *desk) { d.replace("manifest.json", `"run-1"`, `"run-2"`); d.resign(d.priv) }},
		"manifest changed":      {evidence.BadSignature, func(d *desk) { d.replace("manifest.json", `"run-1"`, `"run-2"`) }},
		"manifest spaced":       {evidence.BadSignature, func(d *desk) { d.replace("manifest.json", "{", "{ ") }},
		"manifest removed":      {evidence.Removed, func(d *desk) { d.drop("manifest.json") }},
		"manifest a bomb":       {evidence.TooLarge, func(d *desk) { d.part("manifest.json").body = make([]byte, 64<<20) }},
		"manifest of tomorrow":  {evidence.BadFormat, func(d *desk) { d.replace("manifest.json", "bundle/v1", "bundle/v2"); d.sign(d.priv) }},
		"signature removed":     {evidence.Removed, func(d *desk) { d.drop("manifest.sig") }},
		"signature changed":     {evidence.BadSignature, func(d *desk) { d.part("manifest.sig").body[3] ^= 1 }},
		"signature empty":       {evidence.BadSignature, func(d *desk) { d.part("manifest.sig").body = nil }},
		"signed by a stranger":  {evidence.BadSignature, func(d *desk) { d.resign(stranger) }},
		"signed without domain": {evidence.BadSignature, func(d *desk) {
			d.part("manifest.sig").body = []byte(base64.StdEncoding.EncodeToString(ed25519.Sign(d.priv, d.part("manifest.json").body)))
		}},
		"key not trusted":         {evidence.UnknownKey, func(d *desk) { d.replace("manifest.json", "export-1", "export-2"); d.resign(stranger) }},
		"name twice":              {evidence.Duplicate, add("report.md")},
		"name twice but for case": {evidence.Duplicate, add("REPORT.md")},
		"path upwards":            {evidence.BadPath, add("../report.md")},
		"path absolute":           {evidence.BadPath, add("/etc/motd")},
		"path with backslash":     {evidence.BadPath, add(`evidence\more.json`)},
		"path of a drive":         {evidence.BadPath, add("C:motd")},
		"path with bidi":          {evidence.BadPath, add("report\u202egnp.md")},
		"folder":                  {evidence.BadPath, add("folder/")},
		"link":                    {evidence.BadPath, func(d *desk) { d.part("report.md").link = true }},
		"too many files": {evidence.TooLarge, func(d *desk) {
			for i := range 10_001 {
				add(fmt.Sprint(i))(d)
			}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t)
			comment := ""
			if m.do == nil {
				comment = "read me"
			} else {
				m.do(d)
			}
			var f *evidence.Fault
			if s, err := d.verify(d.pack(comment)); !errors.As(err, &f) || f.Kind != m.kind || s.Run != "" {
				t.Errorf("want %q, got %+v, %v", m.kind, f, err)
			}
		})
	}
}

func TestATornZipIsRefused(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	for _, cut := range []int{0, 1, len(d.raw) / 2, len(d.raw) - 1} {
		var f *evidence.Fault
		if _, err := d.verify(d.raw[:cut]); !errors.As(err, &f) || f.Kind != evidence.BadFormat {
			t.Errorf("cut at %d: %v", cut, err)
		}
	}
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
