package hook

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.temporal.io/api/common/v1"
	"go.temporal.io/api/workflowservice/v1"
)

func TestAClassIsWhatStaysWithoutNamesAndNumbers(t *testing.T) {
	t.Parallel()
	for what, class := range map[string]string{
		`outcome of call "call-1f"`: "outcome of call *", `fate of 12 alerts`: "fate of * alerts", "hold": "hold",
		"PATCH " + path("/v2/projects/p/locations/global/keys/23ee3250-878d-4594-9139-db391f8f18c5"): "PATCH /v*/projects/p/locations/global/keys/*",
		"PUT " + path("/repos/acme/shop/actions/secrets/CHAOS_KEY_0001"):                             "PUT /repos/acme/shop/actions/secrets/*",
	} {
		if got := Class(what); got != class {
			t.Errorf("%s: %q, wanted %q", what, got, class)
		}
	}
}

func TestTheRunIsFoundInNamesAndRequests(t *testing.T) {
	t.Parallel()
	const id = "06h11t5gfs38wszv3a7r69y46c"
	for _, text := range []string{`ledger of run "run-` + id + `"`, `closing incident "inc-` + id + `"`, "inc-" + id + "/2"} {
		if Whose(text) != id {
			t.Errorf("%s: %q", text, Whose(text))
		}
	}
	if Whose(`call "call-06h11t5gfs38wszv3a7r69y46c"`) != "" {
		t.Error("a call was taken for a run")
	}
	for _, req := range []any{
		&workflowservice.StartWorkflowExecutionRequest{WorkflowId: "inc-" + id},
		&workflowservice.UpdateWorkflowExecutionRequest{WorkflowExecution: &common.WorkflowExecution{WorkflowId: "inc-" + id}},
		&workflowservice.RespondActivityTaskCompletedRequest{TaskToken: []byte("\x0a\x1dinc-" + id + "\x12")},
	} {
		if subject(req) != id {
			t.Errorf("%T: %q", req, subject(req))
		}
	}
}

func TestATransitionIsWrittenDownWithItsRun(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "trace")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	s := &state{trace: f}
	s.at(Before, "db ledger of run *", "a", "ledger of\nrun\t\"run-a\"")
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if part := strings.Split(strings.TrimSuffix(string(text), "\n"), "\t"); err != nil || len(part) != 5 || part[1] != "a" || part[2] != Before || part[3] != "db ledger of run *" {
		t.Errorf("%q, %v", text, err)
	}
}

func TestWithoutOrdersTheHookOnlyPassesOn(t *testing.T) {
	t.Parallel()
	var met []string
	far := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { met = append(met, r.Method) }))
	defer far.Close()
	At(context.Background(), Before, "db", "hold")
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		r, err := http.NewRequestWithContext(t.Context(), method, far.URL, nil)
		if err != nil {
			t.Fatal(err)
		}
		res, err := transport{http.DefaultTransport}.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
	}
	if len(met) != 2 {
		t.Errorf("the far end met %v", met)
	}
}
