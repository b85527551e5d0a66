package evidence_test

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"io"
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
	comment string
	after   func([]byte) []byte // spoils the packed bytes
}

type part struct {
	name      string
	body      []byte
	link      bool
	note      string
	extra     []byte
	behind    []byte
	wrongSize bool
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
	d := &desk{priv: priv, trusted: map[string]ed25519.PublicKey{"export-1": pub}}
	d.write(nil)
	return d
}

// write makes the good bundle and takes it apart.
func (d *desk) write(r *evidence.Redaction) {
	ledger, head := rows("run-1", 5)
	var b bytes.Buffer
	must(evidence.Write(&b, evidence.Bundle{Run: "run-1", Made: time.Date(2026, 11, 23, 13, 0, 0, 0, time.UTC), Ledger: ledger, Head: head, Redact: r, Files: []evidence.File{
		evidence.Bytes("report.md", []byte("# what happened")), evidence.Bytes("evidence/usage.json", []byte(`{"usd":"12.50"}`)),
	}}, d.priv, "export-1"))
	d.raw, d.files = b.Bytes(), nil
	z, err := zip.NewReader(bytes.NewReader(d.raw), int64(len(d.raw)))
	must(err)
	for _, f := range z.File {
		r, err := f.Open()
		must(err)
		body, err := io.ReadAll(r)
		must(err)
		d.files = append(d.files, part{name: f.Name, body: body})
	}
}

func must(err error) {
	if err != nil {
		panic(err)
	}
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
		if l["withheld"] != nil {
			continue
		}
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

func (d *desk) pack() []byte {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, p := range d.files {
		p.pack(z)
	}
	must(z.SetComment(d.comment))
	must(z.Close())
	if d.after != nil {
		return d.after(b.Bytes())
	}
	return b.Bytes()
}

func (p part) pack(z *zip.Writer) {
	h := &zip.FileHeader{Name: p.name, Method: zip.Deflate, Comment: p.note, Extra: p.extra}
	if p.link {
		h.SetMode(0o777 | 1<<27) // fs.ModeSymlink
	}
	if strings.HasSuffix(p.name, "/") {
		_, err := z.CreateHeader(h)
		must(err)
		return
	}
	var packed bytes.Buffer
	if len(p.body) < 2 && p.behind == nil { // ten thousand packers would take their time
		h.Method = zip.Store
		w, err := z.CreateHeader(h)
		must(err)
		_, err = w.Write(p.body)
		must(err)
		return
	}
	f, err := flate.NewWriter(&packed, flate.BestSpeed)
	must(err)
	_, err = f.Write(p.body)
	must(err)
	must(f.Close())
	packed.Write(p.behind)
	h.CRC32, h.CompressedSize64, h.UncompressedSize64 = crc32.ChecksumIEEE(p.body), uint64(packed.Len()), uint64(len(p.body))
	if p.wrongSize {
		h.UncompressedSize64++
	}
	w, err := z.CreateRaw(h)
	must(err)
	_, err = w.Write(packed.Bytes())
	must(err)
}

func (d *desk) verify(raw []byte) (evidence.Summary, error) {
	return evidence.Verify(bytes.NewReader(raw), int64(len(raw)), d.trusted)
}
