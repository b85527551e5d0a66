package evidence

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// s3 is one bucket of the object store that many speak to; refuse lets it answer as to who has no right.
type s3 struct {
	mu      sync.Mutex
	objects map[string][]byte
	refuse  bool
}

func (s *s3) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	key, ours := strings.CutPrefix(r.URL.Path, "/evidence/")
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	switch {
	case err != nil || r.Header.Get("Content-Encoding") == "aws-chunked":
		s.fail(w, http.StatusNotImplemented, "NotImplemented")
	case s.refuse:
		s.fail(w, http.StatusForbidden, "AccessDenied")
	case !ours:
		s.fail(w, http.StatusNotFound, "NoSuchBucket")
	case r.Method == http.MethodPut:
		s.objects[key] = body
		w.Header().Set("ETag", `"1"`)
	case r.Method == http.MethodDelete:
		delete(s.objects, key)
		w.WriteHeader(http.StatusNoContent)
	case s.objects[key] == nil:
		s.fail(w, http.StatusNotFound, "NoSuchKey")
	default:
		w.Header().Set("ETag", `"1"`)
		w.Header().Set("Last-Modified", time.Now().UTC().Format(http.TimeFormat))
		_, _ = w.Write(s.objects[key])
	}
}

func (s *s3) fail(w http.ResponseWriter, status int, code string) {
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, "<Error><Code>"+code+"</Code><Message>no</Message><RequestId>r</RequestId></Error>")
}

func TestEvidenceLiesInAnS3BucketAsInAFolder(t *testing.T) {
	t.Parallel()
	bucket := &s3{objects: map[string][]byte{}}
	door := httptest.NewServer(bucket)
	t.Cleanup(door.Close)
	store, err := Open(t.Context(), "s3://evidence?region=eu-central-1&anonymous=true&use_path_style=true&endpoint="+door.URL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	kept, err := store.Put(t.Context(), "run", "usage", "table", "gemini", []byte("what was seen"), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if got, err := store.Get(t.Context(), kept.Digest); err != nil || string(got) != "what was seen" {
		t.Errorf("%q, %v", got, err)
	}
	bucket.objects[key(kept.Digest)] = []byte("what was not seen")
	if _, err := store.Get(t.Context(), kept.Digest); err == nil || !strings.Contains(err.Error(), "was changed in the store") {
		t.Errorf("a changed object: %v", err)
	}
	if err := store.Forget(t.Context(), kept.Digest); err != nil || len(bucket.objects) != 0 {
		t.Errorf("%v, %d objects are left", err, len(bucket.objects))
	}
	if _, err := store.Get(t.Context(), kept.Digest); err == nil || !strings.Contains(err.Error(), "no evidence") {
		t.Errorf("an object that is gone: %v", err)
	}
	bucket.refuse = true
	if _, err := store.Put(t.Context(), "run", "usage", "table", "gemini", []byte("more"), time.Now()); err == nil || !strings.Contains(err.Error(), "cannot be kept") {
		t.Errorf("a bucket that refuses: %v", err)
	}
}
