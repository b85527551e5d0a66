package intake

import (
	"context"

	"github.com/tourniquet-ir/tourniquet/internal/database"
)

// Joiner is a starter that can tell an open run of several alerts at once. It takes none (n = 0, no error) where they have to
// be started one by one.
type Joiner interface {
	Join(ctx context.Context, list []database.Pending) (n int, fate, reason, runID string, err error)
}

// several hands over alerts of one incident together; n is how many have their fate. Whatever is not plain is left to one, which
// knows outages, poison and patience.
func (d *Dispatcher) several(ctx context.Context, list []database.Pending) (n int, up bool) {
	j, can := d.o.Starter.(Joiner)
	if !can || len(list) < 2 {
		return 0, true
	}
	limited, cancel := context.WithTimeout(ctx, d.o.Timeout)
	defer cancel()
	n, fate, reason, run, err := joined(limited, j, list)
	if err != nil || n == 0 {
		return 0, true
	}
	ids := make([]string, 0, n)
	for _, p := range list[:n] {
		ids = append(ids, p.Alert.ID)
	}
	if err := d.o.Queue.SettleAlerts(ctx, list[:n], fate, reason, run); err != nil {
		d.o.Logger.Error("fates not noted; the alerts are told again, which is harmless", "alerts", n, "error", err.Error())
		for _, id := range ids {
			d.failed(id, Unavailable(err))
		}
		return n, true
	}
	d.mu.Lock()
	for _, id := range ids {
		delete(d.tries, id)
	}
	d.mu.Unlock()
	return n, true
}

// joined calls the joiner; a hostile alert that crashes it is met again one by one.
func joined(ctx context.Context, j Joiner, list []database.Pending) (n int, fate, reason, run string, err error) {
	defer func() {
		if recover() != nil {
			n = 0
		}
	}()
	return j.Join(ctx, list)
}
