package console_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"testing"

	"github.com/tourniquet-ir/tourniquet/internal/console"
	"github.com/tourniquet-ir/tourniquet/internal/report"
	"github.com/tourniquet-ir/tourniquet/internal/report/reporttest"
)

func TestEvidenceIsTakenBySomebodyThroughSomeDoor(t *testing.T) {
	t.Parallel()
	var taken []report.Access
	w := newWorld(t, func(o *console.Options) {
		o.Report.Bundle = func(_ context.Context, a report.Access, to io.Writer) error {
			taken = append(taken, a)
			_, err := io.WriteString(to, "bundle of "+a.Run)
			return err
		}
	})
	b, path := w.signedIn(), "/v1/runs/"+reporttest.RunID+"/evidence"
	if res, body := b.do("GET", path, nil); res.StatusCode != http.StatusOK || body != "bundle of "+reporttest.RunID || res.ContentLength != int64(len(body)) {
		t.Errorf("the console answers %d, %q", res.StatusCode, body)
	}
	if res, _ := b.do("GET", path+"?redact=true&keep=signoffs/*&keep=run.json", nil, "Authorization", "Bearer "+w.token); res.StatusCode != http.StatusOK {
		t.Errorf("the API answers %d", res.StatusCode)
	}
	for _, q := range []string{"?redact=yes", "?keep=run.json", "?redact=true&keep=[", "?redact=false&keep=x"} {
		if res, _ := b.do("GET", path+q, nil); res.StatusCode != http.StatusUnprocessableEntity {
			t.Errorf("%s answers %d", q, res.StatusCode)
		}
	}
	if len(taken) != 2 {
		t.Fatalf("taken: %+v", taken)
	}
	page, api := taken[0], taken[1]
	if page.Who != "marek" || page.Surface != console.SurfaceConsole || page.Redact || page.At.IsZero() {
		t.Errorf("by the page: %+v", page)
	}
	if api.Who != "marek" || api.Surface != console.SurfaceCLI || !api.Redact || !slices.Equal(api.Keep, []string{"signoffs/*", "run.json"}) {
		t.Errorf("by the API: %+v", api)
	}
}

func TestHalfABundleIsNeverSent(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *console.Options) {
		o.Report.Bundle = func(_ context.Context, _ report.Access, to io.Writer) error {
			_, err := io.WriteString(to, "half of a bundle")
			return errors.Join(err, errors.New("the store went away"))
		}
	})
	if res, body := w.signedIn().do("GET", "/v1/runs/"+reporttest.RunID+"/evidence", nil); res.StatusCode != http.StatusInternalServerError || res.Header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("answers %d, %q", res.StatusCode, body)
	}
}
