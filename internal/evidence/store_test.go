package evidence_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/evidence"
)

func TestEvidenceComesBackAndAChangedBlobDoesNot(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	dir := filepath.Join(t.TempDir(), "evidence")
	s, err := evidence.Open(ctx, "file://"+dir+"?metadata=skip&create_dir=true")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	at := time.Now()
	one, err := s.Put(ctx, "run-1", "snapshot", "usage.json", "gemini", []byte("body"), at)
	if err != nil {
		t.Fatal(err)
	}
	two, err := s.Put(ctx, "run-1", "snapshot", "usage.json", "gemini", []byte("body"), at)
	if err != nil || one != two || one.Size != 4 || !strings.HasPrefix(one.Digest, "sha256:") {
		t.Fatalf("%+v then %+v, %v", one, two, err)
	}
	if body, err := s.Get(ctx, one.Digest); err != nil || string(body) != "body" {
		t.Fatalf("%q, %v", body, err)
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 1 {
		t.Fatalf("%v, %v", files, err)
	}
	if err := os.WriteFile(filepath.Join(dir, files[0].Name()), []byte("bodies"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Get(ctx, one.Digest); err == nil || !strings.Contains(err.Error(), "changed") {
		t.Errorf("a changed blob came back: %v", err)
	}
	for _, bad := range []string{"", "sha256:", "sha256:../../etc/passwd", "md5:00", strings.ToUpper(one.Digest), "sha256:" + strings.Repeat("0", 64)} {
		if _, err := s.Get(ctx, bad); err == nil {
			t.Errorf("%q came back", bad)
		}
	}
}

func TestABadBucketIsASentenceWithoutItsQuery(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"nowhere://x", "file:///does/not/exist", "%zz://"} {
		if _, err := evidence.Open(context.Background(), bad); err == nil || !strings.Contains(err.Error(), "evidence") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}
