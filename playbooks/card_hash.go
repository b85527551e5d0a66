package playbooks

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"

	"github.com/gowebpki/jcs"
)

// CardHash is sha256:<hex> over the canonical JSON of a card. A card that JSON cannot hold has the hash of nothing,
// which equals no other card's.
func CardHash(card Card) string {
	raw, err := json.Marshal(card)
	if err == nil {
		raw, err = jcs.Transform(raw)
	}
	if err != nil {
		raw = nil
	}
	return digest(raw)
}

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return "sha256:" + hex.EncodeToString(sum[:])
}
