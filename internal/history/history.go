package history

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"

	"github.com/tourniquet-ir/tourniquet/internal/seal"
)

// History is the decrypted history of a run's workflow.
type History struct {
	WorkflowID string  `json:"workflow_id"`
	Events     []Event `json:"events"`
	Cut        bool    `json:"cut,omitempty"` // there are more than an answer holds
}

// Event is one entry. Payloads lie under the path of the field that holds them.
type Event struct {
	ID       int64          `json:"id"`
	Type     string         `json:"type"`
	Time     time.Time      `json:"time"`
	Summary  string         `json:"summary,omitempty"`
	Step     string         `json:"step,omitempty"`   // path of the step, where the event says it
	Action   string         `json:"action,omitempty"` // of a call that the engine made in passing, without an event of its beginning
	Payloads map[string]any `json:"payloads,omitempty"`
}

// maxEvents bounds an answer; a run has some hundred.
const maxEvents = 20_000

// What keeps a history from being read.
var (
	ErrGone = errors.New("the workflow engine does not keep this history any more; the ledger does: see the run's timeline")
	ErrAway = errors.New("the workflow engine did not give the history; try again")
)

// Read reads a history from its first event on.
func Read(ctx context.Context, c client.Client, ring *seal.Ring, workflowID string) (History, error) {
	h := History{WorkflowID: workflowID, Events: []Event{}}
	read := reader{codec: ring.Codec(), plain: converter.GetDefaultDataConverter()}
	steps := map[int64]string{}
	events := c.GetWorkflowHistory(ctx, workflowID, "", false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for events.HasNext() {
		e, err := events.Next()
		if gone := new(serviceerror.NotFound); errors.As(err, &gone) {
			return h, ErrGone
		}
		if err != nil {
			return h, errors.Join(ErrAway, err)
		}
		if h.Cut = len(h.Events) == maxEvents; h.Cut {
			break
		}
		out := read.event(e)
		out.Step = stepOf(e, out, steps)
		h.Events = append(h.Events, out)
	}
	return h, nil
}

// stepOf says to which step an event belongs: its input says it, or its activity's id, or the event that scheduled it.
func stepOf(e *historypb.HistoryEvent, out Event, scheduled map[int64]string) string {
	var said struct {
		Step string `json:"step"`
	}
	if raw, ok := out.Payloads["input[0]"].(json.RawMessage); ok && json.Unmarshal(raw, &said) == nil && said.Step != "" {
		scheduled[e.GetEventId()] = said.Step
		return said.Step
	}
	switch {
	case e.GetActivityTaskStartedEventAttributes() != nil:
		return scheduled[e.GetActivityTaskStartedEventAttributes().GetScheduledEventId()]
	case e.GetActivityTaskCompletedEventAttributes() != nil:
		return scheduled[e.GetActivityTaskCompletedEventAttributes().GetScheduledEventId()]
	case e.GetActivityTaskFailedEventAttributes() != nil:
		return scheduled[e.GetActivityTaskFailedEventAttributes().GetScheduledEventId()]
	case e.GetActivityTaskTimedOutEventAttributes() != nil:
		return scheduled[e.GetActivityTaskTimedOutEventAttributes().GetScheduledEventId()]
	case e.GetActivityTaskCanceledEventAttributes() != nil:
		return scheduled[e.GetActivityTaskCanceledEventAttributes().GetScheduledEventId()]
	}
	return ""
}
