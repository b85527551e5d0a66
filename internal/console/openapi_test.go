package console_test

import (
	"context"
	"io"
	"testing"

	"github.com/tourniquet-ir/tourniquet/internal/api/apitest"
	"github.com/tourniquet-ir/tourniquet/internal/console"
	"github.com/tourniquet-ir/tourniquet/internal/history"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/report"
	"github.com/tourniquet-ir/tourniquet/internal/report/reporttest"
)

// An independent library judges the document; then requests made up from it, good and hostile, are held against it.
func TestEveryAnswerOfTheAPIIsAsItsDescriptionSays(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *console.Options) {
		o.Report.Bundle = func(_ context.Context, _ report.Access, out io.Writer) error {
			_, err := io.WriteString(out, "PK")
			return err
		}
		o.History = func(_ context.Context, r incident.Run) (history.History, error) {
			return history.History{WorkflowID: r.WorkflowID(), Events: []history.Event{{ID: 1, Type: "WorkflowExecutionStarted", Payloads: map[string]any{"input[0]": nil}}}}, nil
		}
	})
	runs, signoffs, questions := []string{reporttest.RunID}, []string{reporttest.Open, reporttest.Approved}, []string{reporttest.Question}
	good := apitest.Target{URL: w.server.URL, Token: w.token, Seed: 7, Each: 60, IDs: map[string][]string{
		"/v1/runs/{id}": runs, "/v1/runs/{id}/timeline": runs, "/v1/runs/{id}/report": runs, "/v1/runs/{id}/evidence": runs, "/v1/runs/{id}/history": runs, "/v1/runs/{id}/refund": runs, "/v1/runs/{id}/review": runs,
		"/v1/signoffs/{id}": signoffs, "/v1/signoffs/{id}/decisions": signoffs, "/v1/questions/{id}/answers": questions, "/v1/questions/{id}/key": questions,
	}}.Run(t)
	for _, op := range []string{"listRuns", "getRun", "getTimeline", "getReport", "getEvidence", "getHistory", "listSignoffs", "getSignoff", "listQuestions", "answer", "sealKey", "listAlerts", "getDescription"} {
		if good[op] == 0 {
			t.Errorf("no request to %q was answered well, so this test says nothing of it", op)
		}
	}
}
