package database_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

func TestFindingsThatArriveTogetherAreKeptEachForItselfAndABadOneSpoilsNoOther(t *testing.T) {
	t.Parallel()
	d, _ := open(t)
	ctx := context.Background()
	var all sync.WaitGroup
	var mu sync.Mutex
	ids, bad := map[string]bool{}, 0
	for i := range 300 {
		all.Go(func() {
			alias := byID(fmt.Sprint("k", i%10))
			if i%50 == 0 {
				alias = []database.Alias{{Provider: "gemini", Kind: "nonsense", Value: "x"}}
			}
			s, err := d.StoreAlert(ctx, incident.Finding{Body: fmt.Appendf(nil, "%d", i)}, alert(fmt.Sprint(i)), alias)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case i%50 == 0 && err != nil && strings.Contains(err.Error(), "nonsense"):
				bad++
			case err != nil:
				t.Errorf("finding %d: %v", i, err)
			default:
				ids[s.AlertID] = true
				if f, err := d.Finding(ctx, s.AlertID); err != nil || string(f.Body) != fmt.Sprint(i) {
					t.Errorf("finding %d: %q, %v", i, f.Body, err)
				}
			}
		})
	}
	all.Wait()
	if len(ids) != 294 || bad != 6 || len(got[[]database.Pending](t)(d.Undispatched(ctx, 0))) != 294 {
		t.Errorf("%d kept, %d refused", len(ids), bad)
	}
	gone, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := d.StoreAlert(gone, incident.Finding{}, alert("late"), nil); err == nil {
		if again := got[database.Stored](t)(d.StoreAlert(ctx, incident.Finding{}, alert("late"), nil)); !again.Duplicate {
			t.Error("a finding was said to be stored and is not there")
		}
	}
	if s := got[database.Stored](t)(d.StoreAlert(ctx, incident.Finding{}, alert("next"), nil)); s.Duplicate {
		t.Error("a caller that gave up blocked the next one")
	}
}
