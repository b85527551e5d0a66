package activities

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/tourniquet-ir/tourniquet/integrations/tickets"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/report"
	"github.com/tourniquet-ir/tourniquet/internal/wire"
)

// drawer keeps what is written into one ticket, once per marker, as trackers do; it may be locked.
type drawer struct {
	tickets.Tracker
	locked   bool
	comments map[string]string
}

func (d *drawer) Comment(_ context.Context, _, marker, body string) error {
	if d.locked {
		return errors.New("the tracker answers 503")
	}
	if _, twice := d.comments[marker]; !twice {
		d.comments[marker] = body
	}
	return nil
}

func posting(t *testing.T, locked bool) (*bench, *drawer, wire.Close) {
	t.Helper()
	b := build(t)
	d := &drawer{locked: locked, comments: map[string]string{}}
	run := must(b.h.DB.Run(t.Context(), "run-1"))(t)
	stored := must(b.h.DB.StoreAlert(t.Context(), incident.Finding{}, incident.Alert{Source: "s", Fingerprint: "f"}, nil))(t)
	if err := b.h.DB.SetFate(t.Context(), stored.AlertID, incident.FateStarted, "", run.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := b.h.DB.MarkAlertsRead(t.Context(), stored.IncidentID); err != nil {
		t.Fatal(err)
	}
	b.h.Tracker, b.h.Console = d, "https://console.example"
	b.h.Brief = func(ctx context.Context, run string) (report.Posting, error) { return report.Brief(ctx, b.h.DB, run) }
	if err := b.h.DB.PutSetting(t.Context(), "ticket/"+stored.IncidentID, "7"); err != nil {
		t.Fatal(err)
	}
	return b, d, wire.Close{Run: run.ID, Incident: stored.IncidentID, Outcome: incident.OutcomeStopped, Why: "over"}
}

func (b *bench) kinds(t *testing.T) (out []string) {
	t.Helper()
	for _, r := range must(b.h.DB.Ledger(t.Context(), "run-1"))(t) {
		out = append(out, r.Kind)
	}
	return out
}

func TestTheReportOfAClosedRunIsPostedOnce(t *testing.T) {
	t.Parallel()
	b, d, c := posting(t, false)
	for range 2 {
		if _, err := b.env.ExecuteActivity(wire.CloseRun, c); err != nil {
			t.Fatal(err)
		}
	}
	if len(d.comments) != 1 || !strings.Contains(d.comments["run-1/report"], "https://console.example/v1/runs/run-1/report") || !strings.Contains(d.comments["run-1/report"], "SHA-256") {
		t.Errorf("the ticket holds %q", d.comments)
	}
	if got := strings.Join(b.kinds(t), " "); strings.Count(got, report.KindPosted) != 1 {
		t.Errorf("the ledger holds %s", got)
	}
}

func TestATicketThatDoesNotTakeTheReportIsTriedAgain(t *testing.T) {
	t.Parallel()
	b, d, c := posting(t, true)
	if _, err := b.env.ExecuteActivity(wire.CloseRun, c); err == nil || !strings.Contains(err.Error(), "503") {
		t.Fatalf("the first try says %v", err)
	}
	if strings.Contains(strings.Join(b.kinds(t), " "), "report.") {
		t.Errorf("the ledger holds %v", b.kinds(t))
	}
	d.locked = false
	if _, err := b.env.ExecuteActivity(wire.CloseRun, c); err != nil || len(d.comments) != 1 {
		t.Errorf("the second try says %v, the ticket holds %q", err, d.comments)
	}
}

func TestATicketThatNeverTakesTheReportDoesNotHoldTheRun(t *testing.T) {
	t.Parallel()
	b, _, c := posting(t, true)
	lines, err := b.h.brief(t.Context(), c.Run)
	if err != nil {
		t.Fatal(err)
	}
	ticket, cause := b.h.commentReport(t.Context(), c, lines.Lines)
	if ticket != "7" || cause == nil {
		t.Fatalf("ticket %q, %v", ticket, cause)
	}
	if err := b.h.posted(t.Context(), c, lines, ticket, cause, postTries); err != nil {
		t.Errorf("the last try says %v", err)
	}
	f, err := report.Load(t.Context(), b.h.DB, c.Run)
	if err != nil {
		t.Fatal(err)
	}
	open := ""
	for _, i := range f.Open {
		open += i.Kind + ": " + i.What.String() + "\n"
	}
	if !strings.Contains(open, report.OpenReport+": The report did not reach the incident: the tracker answers 503") {
		t.Errorf("still open is said to be\n%s", open)
	}
}
