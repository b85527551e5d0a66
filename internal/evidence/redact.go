package evidence

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"path"
	"strings"

	"github.com/tourniquet-ir/tourniquet/internal/database/chain"
)

const (
	saltDomain     = "tourniquet/bundle-salt/v1\x00"
	withheldDomain = "tourniquet/bundle-withheld/v1\x00"
)

// Redaction says what a bundle withholds: the bodies of all ledger entries, and every file that no pattern of Keep names
// (as path.Match reads them). Names, times, order and commitments stay.
type Redaction struct{ Keep []string }

func (r *Redaction) withholds(name string) bool {
	if r == nil || name == ledgerName {
		return false
	}
	for _, p := range r.Keep {
		if ok, err := path.Match(p, name); err == nil && ok {
			return false
		}
	}
	return true
}

// rows leaves out bodies and salts. The chain holds without them: it runs over the commitments.
func (r *Redaction) rows(in []chain.Row) []chain.Row {
	if r == nil {
		return in
	}
	out := make([]chain.Row, len(in))
	for i, row := range in {
		row.Body, row.Salt = nil, nil
		out[i] = row
	}
	return out
}

// salt is secret until a full bundle tells it, and the same each time, so that the same records give the same bytes.
func salt(priv ed25519.PrivateKey, run string, l listed) string {
	h := hmac.New(sha256.New, priv.Seed())
	h.Write([]byte(saltDomain + strings.Join([]string{run, l.Name, l.SHA256}, "\x00")))
	return hex.EncodeToString(h.Sum(nil))
}

// Withheld is the commitment that stands in a redacted bundle for a file: whoever has a full bundle of the same records can make
// it from the digest and the salt listed there, and nobody can guess a short file from it.
func Withheld(digest, salt string) string {
	sum := sha256.Sum256([]byte(withheldDomain + salt + "\x00" + digest))
	return hex.EncodeToString(sum[:])
}
