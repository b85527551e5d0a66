package console_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"testing"

	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/report/reporttest"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
)

const manyAsked = 107 // more than two pages

// listed reads a list of the API to its end, and says how many pages that were.
func (w *world) listed(path string, query url.Values) (ids []string, pages int) {
	w.t.Helper()
	for {
		res, body := w.api("GET", path+"?"+query.Encode(), "")
		var p struct {
			Items []struct{ ID, Request string }
			Next  string
		}
		if err := json.Unmarshal([]byte(body), &p); err != nil || res.StatusCode != http.StatusOK || len(p.Items) > 50 {
			w.t.Fatalf("%s?%s answers %d with %d items, %v", path, query.Encode(), res.StatusCode, len(p.Items), err)
		}
		for _, i := range p.Items {
			ids = append(ids, i.ID+i.Request)
		}
		if pages++; p.Next == "" {
			return ids, pages
		}
		query.Set("before", p.Next)
	}
}

func TestSignoffsAndQuestionsArePagedAsRunsAre(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	requests, questions := []string{reporttest.Open}, []string{}
	for i := range manyAsked {
		v := signoff.View{Request: fmt.Sprint("rq-", i), State: signoff.StateOpen, Envelope: signoff.Envelope{Run: reporttest.RunID}}
		check(t, w.db.PutRequest(t.Context(), v))
		check(t, w.db.PutQuestion(t.Context(), database.Question{ID: fmt.Sprint("q-", i), Run: reporttest.RunID}))
		requests, questions = append(requests, v.Request), append(questions, fmt.Sprint("q-", i))
	}
	for path, want := range map[string][]string{"/v1/signoffs": requests, "/v1/questions": questions} {
		if ids, pages := w.listed(path, url.Values{"state": {"open"}}); !slices.Equal(ids, want) || pages != 3 {
			t.Errorf("%s: %d pages hold %d that are open, want %d, the oldest first", path, pages, len(ids), len(want))
		}
		if ids, _ := w.listed(path, url.Values{"run": {reporttest.RunID}}); len(ids) <= len(questions) {
			t.Errorf("%s: of the run are %d, and those that are closed belong to them", path, len(ids))
		}
		if ids, pages := w.listed(path, url.Values{"run": {"run-none"}}); len(ids) != 0 || pages != 1 {
			t.Errorf("%s: of a run that there is not are %v", path, ids)
		}
	}
}
