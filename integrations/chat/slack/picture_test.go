package slack_test

import (
	"strings"
	"testing"
	"time"

	"github.com/tourniquet-ir/tourniquet/integrations/chat"
	"github.com/tourniquet-ir/tourniquet/internal/sandbox"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
	"github.com/tourniquet-ir/tourniquet/internal/watch/chart"
)

// drawing is a chart as the watch draws it.
func drawing(t *testing.T) []byte {
	t.Helper()
	began := time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)
	png, err := chart.PNG([]chart.Point{{At: began, USD: 1, Usual: 1}, {At: began.Add(time.Hour), USD: 40, Usual: 1}})
	if err != nil {
		t.Fatal(err)
	}
	return png
}

// alarmed is a view with an alarm whose chart is in Slack.
func (tn *town) alarmed(t *testing.T) signoff.View {
	t.Helper()
	const why = "In the last hour this key cost 40.00 USD; 1.00 USD are usual. \u202E<!channel>"
	id, err := tn.chat.Picture(t.Context(), "alarm.png", drawing(t), why)
	if err != nil {
		t.Fatal(err)
	}
	v := openView()
	v.Alarm = &signoff.Alarm{Why: why, Chart: id}
	return v
}

func (tn *town) last() string {
	all := tn.slack.Messages()
	return string(all[len(all)-1].Blocks)
}

func TestACardShowsTheAlarmInASentenceAndAsAChart(t *testing.T) {
	t.Parallel()
	tn := newTown(t, openView())
	v := tn.alarmed(t)
	if _, err := tn.chat.Ask(t.Context(), v, ""); err != nil {
		t.Fatal(err)
	}
	if said := tn.last(); !strings.Contains(said, v.Alarm.Chart) || !strings.Contains(said, "40.00 USD") || !strings.Contains(said, "‹U+202E›") {
		t.Errorf("the card is %s", said)
	}
	q := chat.Choice{Request: "q1", Run: "run_1", Title: "Whose is it?", Choices: []string{"ours", "abuse"}, Alarm: v.Alarm}
	d, err := tn.chat.Question(t.Context(), q)
	if err != nil || !strings.Contains(tn.last(), v.Alarm.Chart) {
		t.Errorf("the question is %s: %v", tn.last(), err)
	}
	if err := tn.chat.SettleQuestion(t.Context(), d, q, "abuse"); err != nil || !strings.Contains(tn.last(), v.Alarm.Chart) || strings.Contains(tn.last(), `"actions"`) {
		t.Errorf("the answered question is %s: %v", tn.last(), err)
	}
}

func TestAChartThatSlackStillLooksAtIsShownAMomentLater(t *testing.T) {
	t.Parallel()
	tn := newTown(t, openView())
	v := tn.alarmed(t)
	if err := tn.slack.Misbehave(sandbox.SlackMischief{Call: "chat.postMessage", Error: "invalid_blocks"}); err != nil {
		t.Fatal(err)
	}
	if _, err := tn.chat.Ask(t.Context(), v, ""); err != nil || len(tn.slack.Messages()) != 1 || !strings.Contains(tn.last(), v.Alarm.Chart) {
		t.Errorf("%v: %s", err, tn.last())
	}
}

func TestAChartThatIsGoneCostsNeitherTheCardNorItsChanges(t *testing.T) {
	t.Parallel()
	tn := newTown(t, openView())
	v := tn.alarmed(t)
	d, err := tn.chat.Ask(t.Context(), v, "")
	if err != nil {
		t.Fatal(err)
	}
	tn.slack.RemoveFile(v.Alarm.Chart)
	v.State = signoff.StateRejected
	if now, err := tn.chat.Settle(t.Context(), d, v); err != nil || now != d || strings.Contains(tn.last(), v.Alarm.Chart) || !strings.Contains(tn.last(), "40.00 USD") {
		t.Errorf("settled: %v, %s", err, tn.last())
	}
	if _, err := tn.chat.Ask(t.Context(), openedAgain(v), ""); err != nil || strings.Contains(tn.last(), v.Alarm.Chart) || !strings.Contains(tn.last(), "Review and approve") {
		t.Errorf("asked anew: %v, %s", err, tn.last())
	}
}

func openedAgain(v signoff.View) signoff.View {
	v.State = signoff.StateOpen
	return v
}

func TestBlocksThatSlackRefusesForAnotherReasonAreAnErrorAsBefore(t *testing.T) {
	t.Parallel()
	tn := newTown(t, openView())
	if err := tn.slack.Misbehave(sandbox.SlackMischief{Call: "chat.postMessage", Error: "invalid_blocks"}); err != nil {
		t.Fatal(err)
	}
	if _, err := tn.chat.Ask(t.Context(), openView(), ""); err == nil || !strings.Contains(err.Error(), "invalid_blocks") {
		t.Errorf("%v", err)
	}
}

func TestWhatKeepsAPictureOutIsSaidAndHoldsNoTicket(t *testing.T) {
	t.Parallel()
	for _, m := range []sandbox.SlackMischief{
		{Call: "files.getUploadURLExternal", Error: "file_uploads_disabled"}, {Call: "files.getUploadURLExternal", Status: 503}, {Call: "files.getUploadURLExternal", Garbage: true},
		{Call: "files.completeUploadExternal", Error: "file_not_found"}, {Call: "files.completeUploadExternal", Status: 500}, {Call: "files.completeUploadExternal", Lost: true},
	} {
		tn := newTown(t, openView())
		if err := tn.slack.Misbehave(m); err != nil {
			t.Fatal(err)
		}
		id, err := tn.chat.Picture(t.Context(), "alarm.png", drawing(t), "words")
		if err == nil || id != "" || strings.Contains(err.Error(), "/upload/") || strings.Contains(err.Error(), tn.creds.Token) {
			t.Errorf("%+v gave %q, %v", m, id, err)
		}
	}
	tn := newTown(t, openView())
	tn.slack.RemoveScope("files:write")
	if _, err := tn.chat.Picture(t.Context(), "alarm.png", drawing(t), "words"); err == nil || !strings.Contains(err.Error(), `"files:write"`) {
		t.Errorf("%v", err)
	}
	if err := tn.chat.Check(t.Context()); err == nil || !strings.Contains(err.Error(), "files:write") {
		t.Errorf("doctor does not say which scope is missing: %v", err)
	}
}
