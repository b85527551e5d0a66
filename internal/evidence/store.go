package evidence

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"

	"gocloud.dev/blob"
	_ "gocloud.dev/blob/fileblob" // file:///… buckets
	_ "gocloud.dev/blob/s3blob"   // s3://… buckets, of AWS or of whoever speaks its language
	"gocloud.dev/gcerrors"

	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

const (
	digestPrefix = "sha256:"
	maxBlob      = 256 << 20 // bytes of one piece of evidence
)

// Store keeps blobs under their digest.
type Store struct{ bucket *blob.Bucket }

// Open opens the bucket at a gocloud.dev/blob URL, for example file:///var/lib/tourniquet/evidence?metadata=skip&create_dir=true.
// Folders are made readable by their owner only, unless the URL says otherwise.
func Open(ctx context.Context, rawURL string) (*Store, error) {
	u, err := url.Parse(rawURL)
	if err != nil {
		return nil, errors.New("the evidence URL is not a URL: write it as file:///folder?metadata=skip&create_dir=true")
	}
	if u.Scheme == "file" {
		q := u.Query()
		for name, value := range map[string]string{"no_tmp_dir": "true", "dir_file_mode": "0700"} {
			if !q.Has(name) {
				q.Set(name, value)
			}
		}
		u.RawQuery = q.Encode()
	}
	b, err := blob.OpenBucket(ctx, u.String())
	if err != nil {
		return nil, fmt.Errorf("the evidence bucket (scheme %q) cannot be opened: %w", u.Scheme, err)
	}
	return &Store{bucket: b}, nil
}

// Close lets the bucket go.
func (s *Store) Close() error { return s.bucket.Close() }

// Put keeps body and returns the record that names it. The same body twice is one blob, the same record has the same id.
func (s *Store) Put(ctx context.Context, run, step, name, source string, body []byte, at time.Time) (incident.Evidence, error) {
	if len(body) > maxBlob {
		return incident.Evidence{}, fmt.Errorf("evidence %q has %d bytes, the limit is %d", name, len(body), maxBlob)
	}
	digest := digestOf(body)
	if err := s.bucket.WriteAll(ctx, key(digest), body, &blob.WriterOptions{ContentType: "application/octet-stream"}); err != nil {
		return incident.Evidence{}, fmt.Errorf("evidence %q cannot be kept: %w", name, err)
	}
	id := sha256.Sum256([]byte(strings.Join([]string{run, step, name, source, digest}, "\x00")))
	return incident.Evidence{ID: "ev-" + hex.EncodeToString(id[:12]), Run: run, Step: step, Name: name, Source: source,
		Digest: digest, Size: int64(len(body)), At: at.UTC()}, nil
}

// Get reads a blob and refuses one that is not what its digest says.
func (s *Store) Get(ctx context.Context, digest string) (body []byte, err error) {
	if !validDigest(digest) {
		return nil, fmt.Errorf("%q is not a digest: it is %q and 64 small hex digits", digest, digestPrefix)
	}
	r, err := s.bucket.NewReader(ctx, key(digest), nil)
	if gcerrors.Code(err) == gcerrors.NotFound {
		return nil, fmt.Errorf("there is no evidence %q in the store", digest)
	}
	if err != nil {
		return nil, fmt.Errorf("evidence %q cannot be read: %w", digest, err)
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	body, err = io.ReadAll(io.LimitReader(r, maxBlob+1))
	if err != nil {
		return nil, fmt.Errorf("evidence %q cannot be read: %w", digest, err)
	}
	if digestOf(body) != digest {
		return nil, fmt.Errorf("evidence %q was changed in the store: its bytes now have another digest", digest)
	}
	return body, nil
}

func digestOf(body []byte) string {
	sum := sha256.Sum256(body)
	return digestPrefix + hex.EncodeToString(sum[:])
}

func validDigest(d string) bool {
	h, ok := strings.CutPrefix(d, digestPrefix)
	b, err := hex.DecodeString(h)
	return ok && err == nil && len(b) == sha256.Size && strings.ToLower(h) == h
}

// key is the digest in letters that every kind of bucket takes.
func key(digest string) string { return strings.Replace(digest, ":", "-", 1) }

// Forget removes a blob for good; one that is gone already is no fault.
func (s *Store) Forget(ctx context.Context, digest string) error {
	if !validDigest(digest) {
		return fmt.Errorf("%q is not a digest: it is %q and 64 small hex digits", digest, digestPrefix)
	}
	if err := s.bucket.Delete(ctx, key(digest)); err != nil && gcerrors.Code(err) != gcerrors.NotFound {
		return fmt.Errorf("evidence %q cannot be removed: %w", digest, err)
	}
	return nil
}
