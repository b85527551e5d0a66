package seal

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
)

const publicFormat = "tourniquet-public-keys-v1"

// publicFile is what a worker knows of the keys that sign decisions. Nothing in it is secret.
type publicFile struct {
	Format string            `json:"format"`
	Keys   map[string]string `json:"keys"` // id -> base64
}

// PublicFile is the text of the file for processes that verify and cannot sign.
func PublicFile(keys map[string]string) ([]byte, error) {
	body, err := json.MarshalIndent(publicFile{publicFormat, keys}, "", "  ")
	return append(body, '\n'), err
}

// LoadPublic reads such a file. Each id must be the one of its key, so that no entry can be exchanged unnoticed.
func LoadPublic(path string) (map[string]string, error) {
	f, err := os.Open(path) //nolint:gosec // the path is the operator's own setting
	if err != nil {
		return nil, fmt.Errorf("opening the public keys: %w", err)
	}
	defer func() { _ = f.Close() }()
	body, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil || len(body) > maxFile {
		return nil, errors.Join(err, fmt.Errorf("the public keys %q cannot be read, or are some other file", path))
	}
	var file publicFile
	if err := parsePrivate(body, path, "file of public keys", &file); err != nil {
		return nil, err
	}
	if file.Format != publicFormat || len(file.Keys) == 0 {
		return nil, fmt.Errorf("the file %q holds no public keys; make it on the host of the API role: tourniquet encryption public", path)
	}
	for _, id := range slices.Sorted(maps.Keys(file.Keys)) {
		public, err := base64.StdEncoding.Strict().DecodeString(file.Keys[id])
		if err != nil || len(public) != ed25519.PublicKeySize || publicID(public) != id {
			return nil, fmt.Errorf("the public key %q in %q is not the key of that id", id, path)
		}
	}
	return file.Keys, nil
}
