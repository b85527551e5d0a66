package seal

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
)

const (
	signerFormat = "tourniquet-signing-key-v1"
	signerName   = "signing key"
)

// Signer signs decisions in the name of this installation.
type Signer struct {
	ID      string // derived from the public key, so that an id never names two keys
	Private ed25519.PrivateKey
	Public  ed25519.PublicKey
}

type signerFile struct {
	Format string `json:"format"`
	Seed   string `json:"seed"` // base64, 32 bytes
}

// LoadOrCreateSigner reads the Ed25519 key, or on first start makes one in a file that only its owner may read.
func LoadOrCreateSigner(path string) (*Signer, error) {
	gone, err := missing(path)
	if err != nil {
		return nil, err
	}
	if gone {
		seed := make([]byte, ed25519.SeedSize)
		if _, err := rand.Read(seed); err != nil {
			return nil, fmt.Errorf("drawing a new signing key: %w", err)
		}
		file := signerFile{Format: signerFormat, Seed: base64.StdEncoding.EncodeToString(seed)}
		if err := writePrivate(path, signerName, file); err != nil {
			return nil, err
		}
	}
	return loadSigner(path)
}

func loadSigner(path string) (*Signer, error) {
	var file signerFile
	if err := readPrivate(path, signerName, &file); err != nil {
		return nil, err
	}
	if file.Format != signerFormat {
		return nil, fmt.Errorf("the signing key %q has format %q; this version reads %q", path, file.Format, signerFormat)
	}
	seed, err := base64.StdEncoding.Strict().DecodeString(file.Seed)
	if err != nil {
		return nil, fmt.Errorf("the seed in the signing key %q is not base64", path)
	}
	defer clear(seed)
	if len(seed) != ed25519.SeedSize {
		return nil, fmt.Errorf("the seed in the signing key %q has %d bytes; Ed25519 needs %d", path, len(seed), ed25519.SeedSize)
	}
	private := ed25519.NewKeyFromSeed(seed)
	public, _ := private.Public().(ed25519.PublicKey) // always that type, by its documentation
	sum := sha256.Sum256(public)
	return &Signer{ID: "ed25519-" + hex.EncodeToString(sum[:8]), Private: private, Public: public}, nil
}

// Sign returns the signature in base64, as a decision carries it.
func (s *Signer) Sign(message []byte) string {
	return base64.StdEncoding.EncodeToString(ed25519.Sign(s.Private, message))
}

// PublicKeys maps the key's id to its public half in base64, as an envelope carries it.
func (s *Signer) PublicKeys() map[string]string {
	return map[string]string{s.ID: base64.StdEncoding.EncodeToString(s.Public)}
}

// Format keeps the private half out of every printer.
func (s *Signer) Format(w fmt.State, _ rune) { _, _ = io.WriteString(w, "signing key "+s.ID) }

// MarshalJSON keeps the private half out of JSON.
func (s *Signer) MarshalJSON() ([]byte, error) { return []byte(`"signing key ` + s.ID + `"`), nil }
