package starter_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

func TestAStormAboutOneKeyIsOneWakeUpPerHundredAlerts(t *testing.T) {
	t.Parallel()
	r := newRoom(t, one())
	ctx := context.Background()
	var list []database.Pending
	for i := range 150 {
		a := leaked(fmt.Sprint(i))
		a.FindingDigest = fmt.Sprintf("sha256:%d", i)
		if i == 7 {
			a.Kind = incident.KindResolved
		}
		list = append(list, r.store(t, a))
		if i == 0 {
			if n, _, _, _, err := r.Join(ctx, list); n != 0 || err != nil {
				t.Fatalf("joined %d without a run: %v", n, err)
			}
			r.start(t, list[0])
			list = nil
		}
	}
	for _, want := range []int{100, 49, 0} {
		n, fate, _, run, err := r.Join(ctx, append(list, database.Pending{Alert: incident.Alert{ID: r.engine.starts[0].Alert.ID}, Incident: r.engine.starts[0].Run.Incident}))
		must(t, err)
		if n != want || n > 0 && (fate != incident.FateJoined || run != r.engine.starts[0].Run.ID) {
			t.Fatalf("joined %d (%s), want %d", n, fate, want)
		}
		list = list[n:]
	}
	if told := r.engine.signals[r.engine.ids[0]]; len(told) != 149 {
		t.Errorf("the run was told of %d alerts", len(told))
	}
	rows := got[[]database.LedgerRow](t)(r.db.Ledger(ctx, r.engine.starts[0].Run.ID))
	if len(rows) != 4 || rows[1].Kind != "alerts.gathered" || rows[2].Kind != "alert.joined" || !strings.Contains(string(rows[2].Body), incident.KindResolved) {
		t.Errorf("the timeline holds %+v", rows)
	}
	if n := strings.Count(string(rows[1].Body)+string(rows[3].Body), `"finding_digest":"sha256:`); n != 148 {
		t.Errorf("the timeline names %d findings", n)
	}
}
