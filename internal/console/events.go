package console

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/database"
)

const (
	lookEvery  = time.Second
	writeLimit = 10 * time.Second
	beatEvery  = 20 // looks without a change
	maxLive    = 200
)

// watch looks at the records on behalf of all who watch: one look serves everybody for a moment.
type watch struct {
	db   *database.DB
	mu   sync.Mutex
	seen map[string]string // run -> what it looked like; "" stands for the list of things that wait
	at   time.Time
	live int
}

// poke makes the next look a fresh one.
func (w *watch) poke() {
	w.mu.Lock()
	w.at = time.Time{}
	w.mu.Unlock()
}

func (w *watch) enter(n int) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if n > 0 && w.live >= maxLive {
		return false
	}
	w.live += n
	return true
}

// look returns how everything looks now.
func (w *watch) look(ctx context.Context) (map[string]string, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.seen != nil && time.Since(w.at) < lookEvery/2 {
		return w.seen, nil
	}
	seen, err := snapshot(ctx, w.db)
	if err != nil {
		return nil, err
	}
	w.seen, w.at = seen, time.Now()
	return seen, nil
}

func snapshot(ctx context.Context, db *database.DB) (map[string]string, error) {
	out := map[string]string{}
	runs, err := db.Runs(ctx, database.Filter{Limit: perPage})
	if err != nil {
		return nil, err
	}
	for _, r := range runs {
		out[r.ID] = r.State + r.Outcome
		if r.State == "done" {
			continue
		}
		head, err := db.LedgerHead(ctx, r.ID)
		if err != nil {
			return nil, err
		}
		steps, err := db.Steps(ctx, r.ID)
		if err != nil {
			return nil, err
		}
		for _, s := range steps {
			out[r.ID] += s.Status
		}
		out[r.ID] += fmt.Sprint(head.Seq)
	}
	open, err := db.Requests(ctx, "", true)
	if err != nil {
		return nil, err
	}
	for _, v := range open {
		out[""] += fmt.Sprintf("%s%s%d ", v.Request, v.State, v.Filled)
	}
	questions, err := db.Questions(ctx, "", true)
	if err != nil {
		return nil, err
	}
	for _, q := range questions {
		out[""] += q.ID + " "
	}
	return out, nil
}

// changed lists the keys at which two looks differ.
func changed(a, b map[string]string) []string {
	ids := []string{}
	for id, v := range b {
		if old, ok := a[id]; !ok || old != v {
			ids = append(ids, id)
		}
	}
	for id := range a {
		if _, ok := b[id]; !ok {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// events tells a page the ids of the runs that changed, and only those: what changed is read by the page itself.
func (c *Console) events(w http.ResponseWriter, r *http.Request, s session) {
	if !c.watch.enter(1) {
		http.Error(w, "Too many pages are watching; this one will not move by itself.", http.StatusServiceUnavailable)
		return
	}
	defer c.watch.enter(-1)
	out := http.NewResponseController(w)
	w.Header().Set("Content-Type", "text/event-stream")
	last, err := c.watch.look(r.Context())
	if err != nil || tell(w, out, "event: hello\ndata: {}\n\n") != nil {
		return
	}
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for quiet := 0; c.Now().Before(s.until); {
		select {
		case <-r.Context().Done():
			return
		case <-tick.C:
		}
		if _, still, err := c.find(r); err != nil || !still {
			return // signed out, perhaps at another process
		}
		next, err := c.watch.look(r.Context())
		if err != nil {
			return
		}
		ids := changed(last, next)
		last = next
		if quiet++; len(ids) == 0 && quiet < beatEvery {
			continue
		}
		quiet = 0
		if tell(w, out, event(ids)) != nil {
			return
		}
	}
}

func event(ids []string) string {
	if len(ids) == 0 {
		return ": still here\n\n"
	}
	raw, err := json.Marshal(map[string]any{"runs": ids})
	if err != nil {
		return ""
	}
	return "event: change\ndata: " + string(raw) + "\n\n"
}

// tell extends the server's write limit, which is meant for ordinary answers.
func tell(w http.ResponseWriter, out *http.ResponseController, text string) error {
	_ = out.SetWriteDeadline(time.Now().Add(writeLimit)) // not every writer has one
	if _, err := w.Write([]byte(text)); err != nil {
		return err
	}
	return out.Flush()
}
