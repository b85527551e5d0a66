package activities

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

// window is how a revocation came into effect, as the probes of a run saw it. Revocation is not instant anywhere.
type window struct {
	Revoked time.Time `json:"-"`
	Worked  time.Time `json:"worked,omitzero"`  // last seen working after the revocation
	Refused time.Time `json:"refused,omitzero"` // first seen refused after that
}

// lingering adds one look to what the run knows of the key. Looks are repeated until one is refused, each as an attempt
// of its own, so what they saw is kept in our records.
func (h *House) lingering(ctx context.Context, run string, k incident.Key, state string) (window, error) {
	revoked, err := h.revokedAt(ctx, run, k)
	if err != nil || revoked.IsZero() {
		return window{}, err
	}
	name := "probe/" + run + "/" + k.Target()
	var w window
	before, found, err := h.DB.Setting(ctx, name)
	if err != nil {
		return window{}, err
	}
	if found {
		_ = json.Unmarshal([]byte(before), &w) // ours; what cannot be read is seen anew
	}
	switch now := h.Now().UTC(); {
	case state == keys.ProbeWorking:
		w.Worked, w.Refused = now, time.Time{} // a refusal before it was one of a server that knew earlier than others
	case state == keys.ProbeRefused && w.Refused.IsZero():
		w.Refused = now
	}
	body, err := json.Marshal(w)
	if err != nil {
		return window{}, err
	}
	w.Revoked = revoked
	return w, h.DB.PutSetting(ctx, name, string(body))
}

// revokedAt is when the provider confirmed that the key is gone, by the receipts of this run.
func (h *House) revokedAt(ctx context.Context, run string, k incident.Key) (at time.Time, err error) {
	calls, err := h.DB.Calls(ctx, run)
	for _, c := range calls {
		if c.Action == "key.revoke" && c.State == database.CallDone && (c.Target == k.Target() || strings.HasPrefix(c.Target, k.Target()+" (")) {
			at = c.FinishedAt.UTC()
		}
	}
	return at, err
}

// words are empty while nothing was revoked.
func (w window) words(state string) string {
	switch {
	case w.Revoked.IsZero():
		return ""
	case state == keys.ProbeWorking:
		return fmt.Sprintf("; it still works %s after it was revoked", w.Worked.Sub(w.Revoked).Round(time.Second))
	case w.Refused.IsZero():
		return ""
	case w.Worked.IsZero():
		return fmt.Sprintf("; refused at the first look, %s after it was revoked", w.Refused.Sub(w.Revoked).Round(time.Second))
	}
	return fmt.Sprintf("; it worked on for %s to %s after it was revoked", w.Worked.Sub(w.Revoked).Round(time.Second), w.Refused.Sub(w.Revoked).Round(time.Second))
}

func (w window) tell(values map[string]any) {
	for name, at := range map[string]time.Time{"revoked_at": w.Revoked, "last_worked_at": w.Worked, "refused_at": w.Refused} {
		if !at.IsZero() {
			values[name] = at.Format(time.RFC3339Nano)
		}
	}
	if !w.Refused.IsZero() && !w.Revoked.IsZero() {
		values["worked_on_seconds"] = max(w.Refused.Sub(w.Revoked).Seconds(), 0)
	}
}
