package history

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	taskqueuepb "go.temporal.io/api/taskqueue/v1"
	"go.temporal.io/sdk/converter"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/tourniquet-ir/tourniquet/internal/seal"
)

func keyRing(t *testing.T) *seal.Ring {
	t.Helper()
	ring, err := seal.LoadOrCreate(filepath.Join(t.TempDir(), "ring.json"), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return ring
}

func sealed(t *testing.T, ring *seal.Ring, v any) *commonpb.Payloads {
	t.Helper()
	p, err := seal.DataConverter(ring).ToPayloads(v)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func readerOf(ring *seal.Ring) reader {
	return reader{codec: ring.Codec(), plain: converter.GetDefaultDataConverter()}
}

func scheduled(input *commonpb.Payloads) *historypb.HistoryEvent {
	return &historypb.HistoryEvent{
		EventId: 5, EventTime: timestamppb.New(time.Date(2026, 3, 4, 3, 12, 9, 0, time.UTC)), EventType: enumspb.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED,
		Attributes: &historypb.HistoryEvent_ActivityTaskScheduledEventAttributes{ActivityTaskScheduledEventAttributes: &historypb.ActivityTaskScheduledEventAttributes{
			ActivityId: "first_minute/contain", ActivityType: &commonpb.ActivityType{Name: "key.contain"}, Input: input,
			TaskQueue: &taskqueuepb.TaskQueue{Name: "queue-of-all"},
		}},
	}
}

func TestAHistoryEventIsOpenedWithTheKeyRing(t *testing.T) {
	t.Parallel()
	ring := keyRing(t)
	e := readerOf(ring).event(scheduled(sealed(t, ring, map[string]string{"run": "run-1"})))
	raw, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	if e.ID != 5 || e.Type != "ActivityTaskScheduled" || !strings.Contains(e.Summary, "key.contain") || !strings.Contains(e.Summary, "first_minute/contain") || !strings.Contains(string(raw), `"input[0]":{"run":"run-1"}`) || strings.Contains(e.Summary, "queue-of-all") {
		t.Errorf("got %s", raw)
	}
}

func TestWhatIsNotEncryptedByThisInstallationIsNamedAndNotShown(t *testing.T) {
	t.Parallel()
	ring, text := keyRing(t), "words of a stranger"
	plain, err := converter.GetDefaultDataConverter().ToPayloads(text)
	if err != nil {
		t.Fatal(err)
	}
	for want, input := range map[string]*commonpb.Payloads{"not encrypted by this installation": plain, "cannot be opened": sealed(t, keyRing(t), text)} {
		raw, err := json.Marshal(readerOf(ring).event(scheduled(input)))
		if err != nil || !strings.Contains(string(raw), want) || strings.Contains(string(raw), text) {
			t.Errorf("want %q, got %s (%v)", want, raw, err)
		}
	}
}

func TestTheWordsOfAFailureAreOpened(t *testing.T) {
	t.Parallel()
	ring := keyRing(t)
	failure := seal.FailureConverter(ring).ErrorToFailure(errors.New("the provider answered 403"))
	if strings.Contains(failure.String(), "403") {
		t.Fatal("the failure is not encrypted, so this test shows nothing")
	}
	e := readerOf(ring).event(&historypb.HistoryEvent{EventType: enumspb.EVENT_TYPE_ACTIVITY_TASK_FAILED, Attributes: &historypb.HistoryEvent_ActivityTaskFailedEventAttributes{
		ActivityTaskFailedEventAttributes: &historypb.ActivityTaskFailedEventAttributes{Failure: failure},
	}})
	if !strings.Contains(e.Summary, "the provider answered 403") {
		t.Errorf("summary %q, payloads %v", e.Summary, e.Payloads)
	}
}

func TestAMarkerOfALocalActivityIsNamedByItsAction(t *testing.T) {
	t.Parallel()
	ring := keyRing(t)
	e := readerOf(ring).event(&historypb.HistoryEvent{EventType: enumspb.EVENT_TYPE_MARKER_RECORDED, Attributes: &historypb.HistoryEvent_MarkerRecordedEventAttributes{
		MarkerRecordedEventAttributes: &historypb.MarkerRecordedEventAttributes{
			MarkerName: "LocalActivity", Details: map[string]*commonpb.Payloads{"data": sealed(t, ring, map[string]string{"ActivityType": "key.identify"})},
		},
	}})
	if e.Summary != "LocalActivity key.identify" {
		t.Errorf("summary %q, payloads %v", e.Summary, e.Payloads)
	}
}

func TestAnEventSaysToWhichStepItBelongs(t *testing.T) {
	t.Parallel()
	ring, steps := keyRing(t), map[int64]string{}
	for want, e := range map[string]*historypb.HistoryEvent{"": {EventId: 1}, "first_minute/contain": scheduled(sealed(t, ring, map[string]string{"step": "first_minute/contain"}))} {
		if got := stepOf(e, readerOf(ring).event(e), steps); got != want {
			t.Errorf("step %q, want %q", got, want)
		}
	}
	done := &historypb.HistoryEvent{EventId: 7, Attributes: &historypb.HistoryEvent_ActivityTaskCompletedEventAttributes{
		ActivityTaskCompletedEventAttributes: &historypb.ActivityTaskCompletedEventAttributes{ScheduledEventId: 5}}}
	if got := stepOf(done, readerOf(ring).event(done), steps); got != "first_minute/contain" {
		t.Errorf("the end of a call belongs to %q", got)
	}
}
