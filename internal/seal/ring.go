package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"regexp"
)

const (
	ringFormat = "tourniquet-keyring-v1"
	ringName   = "key ring"
	keySize    = 32 // bytes: AES-256
)

// What a derived key is for. The words are part of every ciphertext ever written: never change them.
const (
	forPayloads = "tourniquet/v1/payloads"
	forSecrets  = "tourniquet/v1/sealed-secrets"
	forHash     = "tourniquet/v1/keyed-hash"
)

// Ring holds the keys of one installation. It is safe for concurrent use and cannot be printed.
type Ring struct {
	active   string
	payloads map[string]cipher.AEAD // key id -> AEAD
	secrets  map[string]cipher.AEAD
	hash     Secret // of the first key: hashes must stay equal when a newer key becomes active
}

// ringFile is the file. Keys are ordered oldest first; Active encrypts, all of them decrypt.
type ringFile struct {
	Format string    `json:"format"`
	Active string    `json:"active"`
	Keys   []ringKey `json:"keys"`
}

type ringKey struct {
	ID  string `json:"id"`
	Key string `json:"key"` // base64, 32 bytes
}

var keyID = regexp.MustCompile(`^[a-z0-9-]{1,64}$`)

// LoadOrCreate reads the key ring, or on first start makes one with a single key from random (nil: crypto/rand) in a
// file that only its owner may read.
func LoadOrCreate(path string, random io.Reader) (*Ring, error) {
	gone, err := missing(path)
	if err != nil {
		return nil, err
	}
	if gone {
		if err := createRing(path, random); err != nil {
			return nil, err
		}
	}
	return Load(path)
}

// Load reads the key ring and refuses one that is missing, damaged or readable by others.
func Load(path string) (*Ring, error) {
	file, err := readRing(path)
	if err != nil {
		return nil, err
	}
	ring, err := newRing(file)
	if err != nil {
		return nil, fmt.Errorf("the key ring %q is unusable: %w", path, err)
	}
	return ring, nil
}

// AddKey puts a new key into the ring of a file. It decrypts at once and encrypts nothing until it is activated: every process must
// know a key before one of them uses it.
func AddKey(path string, random io.Reader) (id string, err error) {
	file, err := readRing(path)
	if err != nil {
		return "", err
	}
	key, err := newRingKey(path, random)
	if err != nil {
		return "", err
	}
	file.Keys = append(file.Keys, key)
	return key.ID, replacePrivate(path, ringName, file)
}

// Activate makes a key of the ring the one that encrypts. What older keys encrypted stays as it is and readable.
func Activate(path, id string) error {
	file, err := readRing(path)
	if err != nil {
		return err
	}
	file.Active = id
	if _, err := newRing(file); err != nil {
		return fmt.Errorf("the key ring %q cannot use it: %w", path, err)
	}
	return replacePrivate(path, ringName, file)
}

// Keys are the ids in the ring, oldest first, and the one that encrypts.
func Keys(path string) (ids []string, active string, err error) {
	file, err := readRing(path)
	for _, k := range file.Keys {
		ids = append(ids, k.ID)
	}
	return ids, file.Active, err
}

func readRing(path string) (file ringFile, err error) {
	if err := readPrivate(path, ringName, &file); err != nil {
		return file, err
	}
	if file.Format != ringFormat {
		return file, fmt.Errorf("the key ring %q has format %q; this version reads %q", path, file.Format, ringFormat)
	}
	return file, nil
}

// String keeps the ring out of logs.
func (r *Ring) String() string { return "key ring (active key " + r.active + ")" }

// GoString keeps the ring out of %#v.
func (r *Ring) GoString() string { return r.String() }

func createRing(path string, random io.Reader) error {
	key, err := newRingKey(path, random)
	if err != nil {
		return err
	}
	return writePrivate(path, ringName, ringFile{Format: ringFormat, Active: key.ID, Keys: []ringKey{key}})
}

func newRingKey(path string, random io.Reader) (ringKey, error) {
	if random == nil {
		random = rand.Reader
	}
	material := make([]byte, keySize+4)
	if _, err := io.ReadFull(random, material); err != nil {
		return ringKey{}, fmt.Errorf("drawing a new key for the key ring %q: %w", path, err)
	}
	return ringKey{ID: "k-" + hex.EncodeToString(material[keySize:]), Key: base64.StdEncoding.EncodeToString(material[:keySize])}, nil
}

func newRing(file ringFile) (*Ring, error) {
	r := &Ring{active: file.Active, payloads: map[string]cipher.AEAD{}, secrets: map[string]cipher.AEAD{}}
	if len(file.Keys) == 0 {
		return nil, fmt.Errorf("it holds no key")
	}
	for i, k := range file.Keys {
		if !keyID.MatchString(k.ID) {
			return nil, fmt.Errorf("key %d has the id %q; an id is 1 to 64 of a-z, 0-9 and -", i+1, k.ID)
		}
		if _, twice := r.payloads[k.ID]; twice {
			return nil, fmt.Errorf("the key id %q is there twice", k.ID)
		}
		if err := r.add(k, i == 0); err != nil {
			return nil, err
		}
	}
	if _, ok := r.payloads[r.active]; !ok {
		return nil, fmt.Errorf("the active key %q is not among its keys", r.active)
	}
	return r, nil
}

func (r *Ring) add(k ringKey, first bool) error {
	master, err := base64.StdEncoding.Strict().DecodeString(k.Key)
	if err != nil {
		return fmt.Errorf("the key %q is not base64", k.ID)
	}
	defer clear(master)
	if len(master) != keySize {
		return fmt.Errorf("the key %q has %d bytes; AES-256 needs %d", k.ID, len(master), keySize)
	}
	if r.payloads[k.ID], err = aead(master, forPayloads); err != nil {
		return err
	}
	if r.secrets[k.ID], err = aead(master, forSecrets); err != nil {
		return err
	}
	if first {
		hashKey, err := derive(master, forHash)
		if err != nil {
			return err
		}
		r.hash = NewSecret(hashKey)
	}
	return nil
}

func derive(master []byte, purpose string) ([]byte, error) {
	key, err := hkdf.Key(sha256.New, master, nil, purpose, keySize)
	if err != nil {
		return nil, fmt.Errorf("deriving the key for %q: %w", purpose, err)
	}
	return key, nil
}

func aead(master []byte, purpose string) (cipher.AEAD, error) {
	key, err := derive(master, purpose)
	if err != nil {
		return nil, err
	}
	defer clear(key)
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("making the cipher for %q: %w", purpose, err)
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		return nil, fmt.Errorf("making the cipher for %q: %w", purpose, err)
	}
	return gcm, nil
}

// encrypt returns nonce and ciphertext. Nonces are random: 2^32 messages per key stay far below the bound of GCM.
func encrypt(gcm cipher.AEAD, plain, bound []byte) ([]byte, error) {
	nonce := make([]byte, gcm.NonceSize(), gcm.NonceSize()+len(plain)+gcm.Overhead())
	if _, err := rand.Read(nonce); err != nil {
		return nil, fmt.Errorf("drawing a nonce: %w", err)
	}
	return gcm.Seal(nonce, nonce, plain, bound), nil
}

func decrypt(gcm cipher.AEAD, data, bound []byte) ([]byte, bool) {
	if len(data) < gcm.NonceSize()+gcm.Overhead() {
		return nil, false
	}
	plain, err := gcm.Open(nil, data[:gcm.NonceSize()], data[gcm.NonceSize():], bound)
	return plain, err == nil
}
