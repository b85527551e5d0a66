package gateway_test

import (
	"context"
	"strings"
	"testing"

	"github.com/tourniquet-ir/tourniquet/internal/signoff"
)

func TestTheSlashCommandAnswersWhatIsAsked(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	ctx := context.Background()
	if a := r.Do(ctx, r.approve("ann", "cli")); !a.Accepted {
		t.Fatal(a)
	}
	for text, wants := range map[string][]string{
		"":              {"1 sign-off is open", "1 question is open", "Automatic actions may run"},
		"status":        {"1 sign-off", "may run"},
		"STATUS":        {"1 sign-off"},
		"list":          {"req-1", "1 of 2 seats", "2026-03-04 13:00 UTC", "q-1", "Abuse?", "secops"},
		"show req-1":    {"key.revoke on gemini:main:k", "final", "group \"secops\"", "May not: \"sam\"", "ann of Acme: approve", "Until 2026-03-04 13:00 UTC"},
		"show req-9":    {`no sign-off "req-9"`},
		"help":          {"/tourniquet show ID", "hold off REASON"},
		"hold status":   {"may run"},
		"approve req-1": {"I do not know that", "/tourniquet list"},
		"show":          {"I do not know that"},
	} {
		got := r.Command(ctx, "UANN", text)
		for _, want := range wants {
			if !strings.Contains(got, want) {
				t.Errorf("%q is answered without %q: %s", text, want, got)
			}
		}
	}
	if n := len(r.runs.offers()); n != 1 {
		t.Errorf("a command decided: %d offers", n)
	}
}

func TestTheSlashCommandAsksWhoAsks(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	ctx := context.Background()
	for user, why := range map[string]string{"UEVE": "not listed under people", "UBOT": "is a bot", "UGUEST": "is a guest", "UGONE": "is deleted"} {
		for _, text := range []string{"list", "hold on a flood", "show req-1"} {
			if got := r.Command(ctx, user, text); !strings.Contains(got, why) || strings.Contains(got, "req-1") {
				t.Errorf("%s asked %q and heard %q", user, text, got)
			}
		}
	}
	if on, _, _, err := r.db.Hold(ctx); on || err != nil {
		t.Errorf("somebody who may not holds: %v", err)
	}
}

func TestTheHoldIsSaidWithWhoAndWhy(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	ctx := context.Background()
	r.Command(ctx, "UANN", "hold on a flood of alerts")
	if got := r.Command(ctx, "UOLGA", "hold status"); !strings.Contains(got, "by ann: a flood of alerts") {
		t.Errorf("heard %q", got)
	}
	if got := r.Command(ctx, "UOLGA", "status"); !strings.Contains(got, "on hold") {
		t.Errorf("the status does not say that automatic actions are on hold: %q", got)
	}
	for person, reason := range map[string]string{"nobody": "why not", "ann": "  \n", "olga": strings.Repeat("x", 3000)} {
		if err := r.Gateway.Hold(ctx, person, false, reason); err == nil {
			t.Errorf("%s ended the hold with the reason %.9q", person, reason)
		}
	}
	if on, who, _, err := r.db.Hold(ctx); !on || who != "ann" || err != nil {
		t.Errorf("hold %v by %q: %v", on, who, err)
	}
}

func TestAClosedRequestIsShownWithItsEndAndWithoutADeadline(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	ctx := context.Background()
	must(t, r.db.SetRequest(ctx, "req-1", func(v *signoff.View) error { v.State = signoff.StateRejected; return nil }))
	got := r.Command(ctx, "UANN", "show req-1")
	if !strings.Contains(got, "rejected") || strings.Contains(got, "Until") {
		t.Errorf("heard %q", got)
	}
	if got := r.Command(ctx, "UANN", "list"); strings.Contains(got, "req-1") {
		t.Errorf("a closed request is listed: %q", got)
	}
}

func TestOnlyAChannelThatShowedSomethingOfOursIsKnown(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	if !r.Shown(context.Background(), shown.Channel) || r.Shown(context.Background(), "C9") {
		t.Error("the wrong channel is known")
	}
}
