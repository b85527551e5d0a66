package seal

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
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
	retired []*Signer // newest first; for runs that began before the newest key
}

type signerFile struct {
	Format  string   `json:"format"`
	Seed    string   `json:"seed"`              // base64, 32 bytes
	Retired []string `json:"retired,omitempty"` // seeds of earlier keys, newest first
}

// LoadOrCreateSigner reads the Ed25519 key, or on first start makes one in a file that only its owner may read.
func LoadOrCreateSigner(path string) (*Signer, error) {
	gone, err := missing(path)
	if err != nil {
		return nil, err
	}
	if gone {
		seed, err := newSeed()
		if err != nil {
			return nil, err
		}
		if err := writePrivate(path, signerName, signerFile{Format: signerFormat, Seed: seed}); err != nil {
			return nil, err
		}
	}
	return LoadSigner(path)
}

func newSeed() (string, error) {
	seed := make([]byte, ed25519.SeedSize)
	if _, err := rand.Read(seed); err != nil {
		return "", fmt.Errorf("drawing a new signing key: %w", err)
	}
	return base64.StdEncoding.EncodeToString(seed), nil
}

// LoadSigner reads the Ed25519 keys and refuses a file that is missing, damaged or readable by others.
func LoadSigner(path string) (*Signer, error) {
	file, err := readSigner(path)
	if err != nil {
		return nil, err
	}
	s, err := signerFrom(path, file.Seed)
	if err != nil {
		return nil, err
	}
	for _, seed := range file.Retired {
		old, err := signerFrom(path, seed)
		if err != nil {
			return nil, err
		}
		s.retired = append(s.retired, old)
	}
	return s, nil
}

func readSigner(path string) (file signerFile, err error) {
	if err := readPrivate(path, signerName, &file); err != nil {
		return file, err
	}
	if file.Format != signerFormat {
		return file, fmt.Errorf("the signing key %q has format %q; this version reads %q", path, file.Format, signerFormat)
	}
	return file, nil
}

func signerFrom(path, text string) (*Signer, error) {
	seed, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil {
		return nil, fmt.Errorf("the seed in the signing key %q is not base64", path)
	}
	defer clear(seed)
	if len(seed) != ed25519.SeedSize {
		return nil, fmt.Errorf("the seed in the signing key %q has %d bytes; Ed25519 needs %d", path, len(seed), ed25519.SeedSize)
	}
	private := ed25519.NewKeyFromSeed(seed)
	public, _ := private.Public().(ed25519.PublicKey) // always that type, by its documentation
	return &Signer{ID: publicID(public), Private: private, Public: public}, nil
}

func publicID(public ed25519.PublicKey) string {
	sum := sha256.Sum256(public)
	return "ed25519-" + hex.EncodeToString(sum[:8])
}

// RotateSigner puts a new key in front of those in the file. The old ones stay, for runs that accept no other.
func RotateSigner(path string) (*Signer, error) {
	file, err := readSigner(path)
	if err != nil {
		return nil, err
	}
	seed, err := newSeed()
	if err != nil {
		return nil, err
	}
	file.Retired = append([]string{file.Seed}, file.Retired...)
	file.Seed = seed
	if err := replacePrivate(path, signerName, file); err != nil {
		return nil, err
	}
	return LoadSigner(path)
}

// For is the newest key among those that are accepted; the newest of all where none is.
func (s *Signer) For(accepted []string) *Signer {
	for _, one := range append([]*Signer{s}, s.retired...) {
		if slices.Contains(accepted, one.ID) {
			return one
		}
	}
	return s
}

// Sign returns the signature in base64, as a decision carries it.
func (s *Signer) Sign(message []byte) string {
	return base64.StdEncoding.EncodeToString(ed25519.Sign(s.Private, message))
}

// PublicKeys maps the id of every key, retired ones too, to its public half in base64, as an envelope carries it.
func (s *Signer) PublicKeys() map[string]string {
	out := map[string]string{}
	for _, one := range append([]*Signer{s}, s.retired...) {
		out[one.ID] = base64.StdEncoding.EncodeToString(one.Public)
	}
	return out
}

// Format keeps the private half out of every printer.
func (s *Signer) Format(w fmt.State, _ rune) { _, _ = io.WriteString(w, "signing key "+s.ID) }

// MarshalJSON keeps the private half out of JSON.
func (s *Signer) MarshalJSON() ([]byte, error) { return []byte(`"signing key ` + s.ID + `"`), nil }
