package chain

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"github.com/gowebpki/jcs"
)

const (
	domain       = "tourniquet/ledger/v1"
	bodyDomain   = "tourniquet/ledger-body/v1"
	digestPrefix = "sha256:"
)

// KindErased is the kind of the entry that announces that an earlier body was erased.
const KindErased = "ledger.erased"

// Erased is the body of such an entry.
type Erased struct {
	Seq int64 `json:"erased_seq"`
}

// Row is one entry as it is stored and exported. Body and Salt are both empty once the body has been erased.
type Row struct {
	Run        string          `json:"run"`
	Seq        int64           `json:"seq"` // 1, 2, 3 … within the run
	ID         string          `json:"id"`
	Kind       string          `json:"kind"`
	Actor      string          `json:"actor"`
	Step       string          `json:"step"`
	At         time.Time       `json:"at"`
	Salt       []byte          `json:"salt,omitempty"`
	Body       json.RawMessage `json:"body,omitempty"`
	Commitment string          `json:"commitment"`
	Prev       string          `json:"prev"`
	Hash       string          `json:"hash"`
}

// Head is the last sequence of a run with its hash; a signed head makes a cut-off ledger visible.
type Head struct {
	Seq  int64  `json:"seq"`
	Hash string `json:"hash"`
}

// Canonical is the one form in which a body is committed to: RFC 8785.
func Canonical(body any) (json.RawMessage, error) {
	raw, err := json.Marshal(body)
	if err != nil {
		return nil, fmt.Errorf("ledger body is not JSON: %w", err)
	}
	out, err := jcs.Transform(wrap(raw))
	if err != nil {
		return nil, fmt.Errorf("ledger body has no canonical form: %w", err)
	}
	return unwrap(out), nil
}

// wrap lets scalars through: jcs takes objects and arrays only.
func wrap(raw []byte) []byte   { return append(append([]byte{'['}, raw...), ']') }
func unwrap(out []byte) []byte { return out[1 : len(out)-1] }

// Commit is the salted commitment to a canonical body.
func Commit(salt []byte, canonical json.RawMessage) string {
	h := sha256.New()
	h.Write(field([]byte(bodyDomain)))
	h.Write(field(salt))
	h.Write(canonical)
	return digestPrefix + hex.EncodeToString(h.Sum(nil))
}

// Seal fills Hash from everything else but the body.
func (r *Row) Seal() { r.Hash = r.digest() }

func (r Row) digest() string {
	h := sha256.New()
	for _, s := range []string{domain, r.Run, r.Prev} {
		h.Write(field([]byte(s)))
	}
	h.Write(binary.BigEndian.AppendUint64(nil, uint64(r.Seq))) //nolint:gosec // the same bits; entries count from one
	for _, s := range []string{r.ID, r.Kind, r.Actor, r.Step} {
		h.Write(field([]byte(s)))
	}
	h.Write(binary.BigEndian.AppendUint64(nil, uint64(r.At.UnixMicro())))
	h.Write(field([]byte(r.Commitment)))
	return digestPrefix + hex.EncodeToString(h.Sum(nil))
}

// field puts the length in front, so that no two lists of fields share their bytes.
func field(b []byte) []byte {
	return append(binary.BigEndian.AppendUint64(nil, uint64(len(b))), b...)
}
