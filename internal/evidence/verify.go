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
	"hash/crc32"
	"io"
	"maps"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/database/chain"
)

const (
	maxFiles    = 10_000
	maxManifest = 4 << 20
	maxLine     = 16 << 20 // one ledger entry
	maxName     = 512
	maxTotal    = 4<<30 - 64<<20 // all files unpacked; a zip of as much needs no second kind of directory
)

// Summary is what a good bundle says about itself.
type Summary struct {
	Run      string     `json:"run"`
	Made     time.Time  `json:"made"`
	KeyID    string     `json:"key_id"`
	Head     chain.Head `json:"ledger"`
	Entries  int64      `json:"entries"`
	Erased   int        `json:"erased"`   // bodies that are not there: each with an entry that says it was erased, or withheld
	Withheld int        `json:"withheld"` // files that a redacted bundle keeps back
	Redacted bool       `json:"redacted"`
	Files    int        `json:"files"`
	Bytes    int64      `json:"bytes"`
}

// Verify checks a bundle offline with nothing but public keys by their id. It streams: memory does not grow with the files.
// Nothing but the manifest is unpacked before its signature holds. The error joins every *Fault found.
func Verify(r io.ReaderAt, size int64, trusted map[string]ed25519.PublicKey) (Summary, error) {
	inside, err := index(r, size)
	if err != nil {
		return Summary{}, err
	}
	m, err := readManifest(inside, trusted)
	if err != nil {
		return Summary{}, err
	}
	v := &verification{m: m, inside: inside, sum: Summary{Run: m.Run, Made: m.Made, KeyID: m.KeyID, Head: m.Ledger, Redacted: m.Redacted}}
	v.files()
	if err := errors.Join(v.faults...); err != nil {
		return Summary{}, err
	}
	return v.sum, nil
}

// index looks at names and places only.
func index(r io.ReaderAt, size int64) (map[string]*zip.File, error) {
	directory, err := start(r, size)
	if err != nil {
		return nil, err
	}
	z, err := zip.NewReader(r, size)
	if err != nil {
		return nil, fault(BadFormat, "", "this is not a bundle: %v", err)
	}
	seen, inside := names{}, map[string]*zip.File{}
	for _, f := range z.File {
		if err := seen.add(f.Name); err != nil {
			return nil, err
		}
		if !f.Mode().IsRegular() {
			return nil, fault(BadPath, f.Name, "%q is not a regular file", f.Name)
		}
		inside[f.Name] = f
	}
	return inside, contiguous(r, z, directory, size)
}

func readManifest(inside map[string]*zip.File, trusted map[string]ed25519.PublicKey) (manifest, error) {
	var m manifest
	body, err := small(inside, manifestName, maxManifest)
	if err != nil {
		return m, err
	}
	sig, err := small(inside, sigName, 1024)
	if err != nil {
		return m, err
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(&m); err != nil {
		return m, fault(BadFormat, manifestName, "%q is not readable: %v", manifestName, err)
	}
	if m.Format != Format {
		return m, fault(BadFormat, manifestName, "the bundle has format %q, this program reads %q", m.Format, Format)
	}
	pub, known := trusted[m.KeyID]
	if !known || len(pub) != ed25519.PublicKeySize {
		return m, fault(UnknownKey, manifestName, "the bundle is signed with key %q, which is not among the trusted keys", m.KeyID)
	}
	raw, err := base64.StdEncoding.Strict().DecodeString(strings.TrimSuffix(string(sig), "\n"))
	if err != nil || !ed25519.Verify(pub, signed(body), raw) {
		return m, fault(BadSignature, sigName, "the signature does not fit the manifest and key %q", m.KeyID)
	}
	return m, nil
}

func small(inside map[string]*zip.File, name string, limit int64) ([]byte, error) {
	f := inside[name]
	if f == nil {
		return nil, fault(Removed, name, "%q was removed from the bundle", name)
	}
	r, err := unpack(f)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		return nil, fault(Changed, name, "%q cannot be unpacked: %v", name, err)
	}
	if int64(len(body)) > limit {
		return nil, fault(TooLarge, name, "%q is larger than %d bytes", name, limit)
	}
	return body, r.whole(crc32.ChecksumIEEE(body), int64(len(body)))
}

type verification struct {
	m      manifest
	inside map[string]*zip.File
	sum    Summary
	faults []error
	bodies []pending
}

// pending is a file whose bytes are still to be read; its fault, if it has one, belongs at a place among the others.
type pending struct {
	f  *zip.File
	l  listed
	at int
}

// read reads the bodies, as many at once as there are processors: one alone is slower than a good disk.
func (v *verification) read() {
	next, all := make(chan pending), sync.WaitGroup{}
	for range min(runtime.GOMAXPROCS(0), len(v.bodies)) {
		all.Go(func() {
			for p := range next {
				v.faults[p.at] = v.body(p.f, p.l)
			}
		})
	}
	for _, p := range v.bodies {
		next <- p
	}
	close(next)
	all.Wait()
	v.faults = slices.DeleteFunc(v.faults, func(err error) bool { return err == nil })
}

func (v *verification) add(err error) { v.faults = append(v.faults, err) }

func (v *verification) files() {
	seen := names{}
	for _, own := range []string{manifestName, sigName} {
		seen[own] = true
		delete(v.inside, own)
	}
	ledger := false
	for _, l := range v.m.Files {
		if err := seen.add(l.Name); err != nil {
			v.add(err)
			continue
		}
		ledger = ledger || l.Name == ledgerName
		v.file(l)
		delete(v.inside, l.Name)
	}
	if !ledger {
		v.add(fault(Removed, ledgerName, "the manifest lists no %q", ledgerName))
	}
	for _, name := range slices.Sorted(maps.Keys(v.inside)) {
		v.add(fault(Added, name, "%q was added to the bundle: the manifest does not list it", name))
	}
	v.read()
}

func (v *verification) file(l listed) {
	f := v.inside[l.Name]
	switch withheld := l.Withheld != ""; {
	case withheld && (!v.m.Redacted || l.Name == ledgerName):
		v.add(fault(Removed, l.Name, "%q is withheld, which this bundle may not do", l.Name))
		return
	case withheld && f != nil:
		v.add(fault(Added, l.Name, "%q was added to the bundle: the manifest says that it is withheld", l.Name))
		return
	case withheld:
		v.sum.Withheld++
		return
	case f == nil:
		v.add(fault(Removed, l.Name, "%q was removed from the bundle", l.Name))
		return
	case l.Size < 0 || l.Size > maxTotal-v.sum.Bytes:
		v.add(fault(TooLarge, l.Name, "%q takes the bundle over %d bytes", l.Name, int64(maxTotal)))
		return
	}
	v.sum.Bytes += l.Size
	v.sum.Files++
	if l.Name == ledgerName { // it is taken apart on the way
		if err := v.body(f, l); err != nil {
			v.add(err)
		}
		return
	}
	v.bodies = append(v.bodies, pending{f, l, len(v.faults)})
	v.add(nil)
}

func (v *verification) body(f *zip.File, l listed) error {
	r, err := unpack(f)
	if err != nil {
		return err
	}
	h, s := sha256.New(), &sums{}
	// One byte more than listed is enough to know that it is not the listed file.
	in := io.TeeReader(io.LimitReader(r, l.Size+1), io.MultiWriter(h, s))
	if l.Name == ledgerName {
		if err := v.ledger(in); err != nil {
			return err
		}
	}
	if _, err := io.Copy(io.Discard, in); err != nil {
		return fault(Changed, l.Name, "%q cannot be unpacked: %v", l.Name, err)
	}
	if s.n != l.Size || hex.EncodeToString(h.Sum(nil)) != l.SHA256 {
		return fault(Changed, l.Name, "%q was changed: its digest is not the one that was signed", l.Name)
	}
	return r.whole(s.crc, s.n)
}
