package seal

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
)

// boxVersion is the first byte of everything sealed: version, length of the key id, key id, nonce, ciphertext.
const boxVersion = 1

var errNotSealed = errors.New("the bytes are no sealed secret of this version")

// Box seals single values, such as a stolen key, for our own database.
type Box struct {
	ring  *Ring
	bound string
}

// Box gives the ring's box for sealed secrets.
func (r *Ring) Box() *Box { return &Box{ring: r} }

// For binds what is sealed to a label, such as handle and version of its row: opening it under another label fails, so
// that nobody can swap two rows. The plain Box is the label "".
func (b *Box) For(label string) *Box { return &Box{ring: b.ring, bound: label} }

// Seal encrypts with the active key.
func (b *Box) Seal(plain []byte) ([]byte, error) {
	id := b.ring.active
	body, err := encrypt(b.ring.secrets[id], plain, b.binding(id))
	if err != nil {
		return nil, fmt.Errorf("sealing a secret: %w", err)
	}
	out := make([]byte, 0, 2+len(id)+len(body))
	out = append(out, boxVersion, byte(len(id))) //nolint:gosec // ids of keys are short
	out = append(out, id...)
	return append(out, body...), nil
}

// Open decrypts what Seal made with any key of the ring. The result should be wiped (see Secret).
func (b *Box) Open(sealed []byte) ([]byte, error) {
	if len(sealed) < 2 || sealed[0] != boxVersion || len(sealed) < 2+int(sealed[1]) {
		return nil, errNotSealed
	}
	id, body := string(sealed[2:2+int(sealed[1])]), sealed[2+int(sealed[1]):]
	gcm, ok := b.ring.secrets[id]
	if !ok {
		return nil, fmt.Errorf("the secret was sealed with the key %q, which is not in the key ring", short(id))
	}
	plain, ok := decrypt(gcm, body, b.binding(id))
	if !ok {
		return nil, fmt.Errorf("the key %q does not open the sealed secret: it was changed, moved, or belongs to another installation", id)
	}
	return plain, nil
}

// KeyedHash is HMAC-SHA256 in hex: equal secrets give equal hashes, and without the ring nobody can try candidates.
// It stays the same when a newer key becomes active.
func (b *Box) KeyedHash(value []byte) string {
	mac := hmac.New(sha256.New, b.ring.hash.bytes())
	_, _ = mac.Write(value) // a hash never fails
	return hex.EncodeToString(mac.Sum(nil))
}

func (b *Box) binding(id string) []byte { return []byte(forSecrets + "\x00" + id + "\x00" + b.bound) }
