package evidence

import (
	"archive/zip"
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/database/chain"
)

const (
	// Format is the version of the bundle's layout.
	Format = "tourniquet/bundle/v1"

	signDomain   = "tourniquet/bundle-manifest/v1\x00"
	manifestName = "manifest.json"
	sigName      = "manifest.sig"
	ledgerName   = "ledger.jsonl"
)

// File is one file of a bundle. Open is called once.
type File struct {
	Name  string // a clean relative path with forward slashes
	Alias string // the name it is withheld under, where its own name would tell too much; empty: its own
	Open  func() (io.ReadCloser, error)
}

// Bytes is a file that lies in memory.
func Bytes(name string, body []byte) File {
	return File{Name: name, Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }}
}

// Bundle is everything of one run that leaves the house.
type Bundle struct {
	Run    string
	Made   time.Time
	Ledger []chain.Row
	Head   chain.Head // as the database keeps it, apart from the entries
	Files  []File
	Redact *Redaction // nil: nothing is withheld
}

// manifest is what is signed.
type manifest struct {
	Format   string     `json:"format"`
	Run      string     `json:"run"`
	Made     time.Time  `json:"made"`
	Redacted bool       `json:"redacted,omitempty"`
	Ledger   chain.Head `json:"ledger"`
	Files    []listed   `json:"files"`
	KeyID    string     `json:"key_id"`
}

// listed is a file with its digest and the salt of its commitment, or a withheld one with its commitment alone.
type listed struct {
	Name     string `json:"name"`
	SHA256   string `json:"sha256,omitempty"`
	Size     int64  `json:"size,omitempty"`
	Salt     string `json:"salt,omitempty"`
	Withheld string `json:"withheld,omitempty"`
}

// Write writes a signed bundle. A ledger that does not verify up to its head is not signed.
func Write(w io.Writer, b Bundle, priv ed25519.PrivateKey, keyID string) error {
	if len(priv) != ed25519.PrivateKeySize || keyID == "" {
		return errors.New("a bundle needs an Ed25519 private key and its id")
	}
	if err := checkLedger(b); err != nil {
		return fmt.Errorf("the bundle of run %q is not signed: %w", b.Run, err)
	}
	p := &packing{z: zip.NewWriter(w), b: b, priv: priv, seen: names{},
		m: manifest{Format: Format, Run: b.Run, Made: b.Made.UTC(), Redacted: b.Redact != nil, Ledger: b.Head, KeyID: keyID}}
	files := append([]File{{Name: ledgerName, Open: ledgerLines(b.Redact.rows(b.Ledger))}}, b.Files...)
	slices.SortStableFunc(files, func(x, y File) int { return strings.Compare(x.Name, y.Name) })
	if len(files)+2 > maxFiles {
		return fmt.Errorf("the bundle of run %q would hold %d files, the limit is %d", b.Run, len(files), maxFiles-2)
	}
	for _, f := range files {
		if err := p.file(f); err != nil {
			return fmt.Errorf("file %q of the bundle: %w", f.Name, err)
		}
	}
	return p.close()
}

type packing struct {
	z     *zip.Writer
	b     Bundle
	priv  ed25519.PrivateKey
	m     manifest
	seen  names
	total int64
}

func (p *packing) file(f File) error {
	if err := p.seen.add(f.Name); err != nil {
		return err
	}
	if f.Name == manifestName || f.Name == sigName {
		return fmt.Errorf("the name %q belongs to the bundle itself", f.Name)
	}
	if !p.b.Redact.withholds(f.Name) {
		l, err := p.put(f)
		if f.Name != ledgerName {
			l.Salt = salt(p.priv, p.b.Run, l)
		}
		p.m.Files = append(p.m.Files, l)
		return err
	}
	l, err := digest(f, io.Discard)
	l.Withheld = Withheld(l.SHA256, salt(p.priv, p.b.Run, l))
	if f.Alias != "" {
		l.Name = f.Alias
		err = errors.Join(err, p.seen.add(f.Alias))
	}
	p.m.Files = append(p.m.Files, listed{Name: l.Name, Withheld: l.Withheld})
	return err
}

func (p *packing) close() error {
	body, err := json.MarshalIndent(p.m, "", "  ")
	if err != nil {
		return fmt.Errorf("manifest of the bundle: %w", err)
	}
	sig := base64.StdEncoding.EncodeToString(ed25519.Sign(p.priv, signed(body)))
	for _, f := range []File{Bytes(manifestName, body), Bytes(sigName, []byte(sig+"\n"))} {
		if _, err := p.put(f); err != nil {
			return fmt.Errorf("file %q of the bundle: %w", f.Name, err)
		}
	}
	return p.z.Close()
}

func checkLedger(b Bundle) error {
	v := chain.New(b.Run)
	for _, r := range b.Ledger {
		if d := v.Next(r); d != nil {
			return d
		}
	}
	return v.End(&b.Head)
}

func signed(manifest []byte) []byte { return append([]byte(signDomain), manifest...) }

func (p *packing) put(f File) (listed, error) {
	w, err := p.z.CreateHeader(&zip.FileHeader{Name: f.Name, Method: zip.Deflate, Modified: p.b.Made.UTC()})
	if err != nil {
		return listed{}, err
	}
	l, err := digest(f, w)
	if p.total += l.Size; err == nil && p.total > maxTotal {
		err = fmt.Errorf("it takes the bundle over %d bytes; withhold large files with a redaction", int64(maxTotal))
	}
	return l, err
}

// digest copies a file and says what it was.
func digest(f File, w io.Writer) (l listed, err error) {
	r, err := f.Open()
	if err != nil {
		return l, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	h := sha256.New()
	n, err := io.Copy(io.MultiWriter(w, h), r)
	return listed{Name: f.Name, SHA256: hex.EncodeToString(h.Sum(nil)), Size: n}, err
}

func ledgerLines(rows []chain.Row) func() (io.ReadCloser, error) {
	return func() (io.ReadCloser, error) {
		r, w := io.Pipe()
		go func() { // ends with the rows, or when the reader closes its side
			for _, row := range rows {
				line, err := encodeRow(row)
				if err == nil && len(line) > maxLine {
					err = fmt.Errorf("entry %d has %d bytes, the limit is %d", row.Seq, len(line), maxLine)
				}
				if err == nil {
					_, err = w.Write(line)
				}
				if err != nil {
					_ = w.CloseWithError(err) // always nil
					return
				}
			}
			_ = w.Close() // always nil
		}()
		return r, nil
	}
}

// encodeRow is the one line that stands for a row; the verifier takes no other spelling of it.
func encodeRow(r chain.Row) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(r)
	return b.Bytes(), err
}
