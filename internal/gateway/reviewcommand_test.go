package gateway_test

import (
	"context"
	"strings"
	"testing"

	"github.com/tourniquet-ir/tourniquet/internal/review"
)

func TestLessonsComeInBySlashCommand(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	ctx := context.Background()
	for _, c := range [][2]string{
		{"lesson run-1 keys leak from client code", "Written down in the ledger of run-1."},
		{"next run-1 sam move it to the server", "owned by sam"},
		{"next run-1 <@UANN|ann> tell the team", "owned by ann"},
		{"next run-1 mallory x", `"mallory"`},
		{"next run-1 <@UNOBODY> x", `"UNOBODY"`},
		{"lesson run-9 x", `no run "run-9"`},
		{"lesson run-1", "Something is missing"},
		{"done run-1 first", `"first"`},
		{"done run-1 999", "there is no next step 999"},
	} {
		if got := r.Command(ctx, "UANN", c[0]); !strings.Contains(got, c[1]) {
			t.Errorf("%q is answered %q, want %q in it", c[0], got, c[1])
		}
	}
	rows := got[[]review.Step](t)(func() ([]review.Step, error) {
		l, err := r.DB.Ledger(ctx, "run-1")
		return review.Read(l).NextSteps, err
	}())
	if len(rows) != 2 || rows[0].Owner != "sam" || rows[1].By != "ann" {
		t.Errorf("the ledger holds %+v", rows)
	}
	if got := r.Command(ctx, "USTRANGER", "lesson run-1 x"); !strings.Contains(got, "not listed") {
		t.Errorf("a stranger is answered %q", got)
	}
}
