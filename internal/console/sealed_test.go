package console_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/tourniquet-ir/tourniquet/internal/console"
	"github.com/tourniquet-ir/tourniquet/internal/database"
)

func TestTheSealedFormHandsAKeyOverAndNeverShowsItAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	q := database.Question{ID: "k-1", Run: w.open.Envelope.Run, Step: "replace/fresh", Kind: database.QuestionKey, From: "secops", Prompt: "Make a key"}
	if err := w.db.PutQuestion(t.Context(), q); err != nil {
		t.Fatal(err)
	}
	b := w.signedIn()
	if _, page := b.do("GET", "/questions/k-1", nil); !strings.Contains(page, `action="/questions/k-1/key"`) || !strings.Contains(page, `type="password"`) {
		t.Error("the page has no sealed form")
	}
	value := "sk-made-up-" + strings.Repeat("q7", 20)
	if res, page := b.do("POST", "/questions/k-1/key", url.Values{"value": {value}}); res.StatusCode != http.StatusForbidden || strings.Contains(page, value) {
		t.Errorf("without the session's own token the form is answered %d", res.StatusCode)
	}
	res, page := b.do("POST", "/questions/k-1/key", url.Values{"value": {value}, "csrf": {b.csrf()}})
	if res.StatusCode != http.StatusOK || strings.Contains(page, value) {
		t.Errorf("answer %d, or the page shows the key", res.StatusCode)
	}
	if res, body := w.api("POST", "/v1/questions/k-1/key", `{"value":"`+value+`"}`); res.StatusCode != http.StatusOK || strings.Contains(body, value) {
		t.Errorf("the API answers %d %s", res.StatusCode, body)
	}
	if got := w.desk.sealed(); len(got) != 2 || got[0] != "marek "+console.SurfaceConsole+" k-1 "+value || got[1] != "marek "+console.SurfaceCLI+" k-1 "+value {
		t.Errorf("the desk got %d keys", len(got))
	}
}
