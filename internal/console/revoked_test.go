package console_test

import (
	"maps"
	"net/http"
	"testing"
)

func TestASessionEndsWithTheTokenThatOpenedIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.signedIn()
	if res, _ := b.do("GET", "/", nil); res.StatusCode != http.StatusOK {
		t.Fatalf("a session of a good token is answered %d", res.StatusCode)
	}
	tokens := maps.Clone(w.desk.tokens)
	delete(tokens, w.token)
	w.desk.tokens = tokens
	if res, _ := b.do("GET", "/", nil); res.StatusCode != http.StatusSeeOther {
		t.Errorf("after its token was revoked a session is answered %d", res.StatusCode)
	}
}
