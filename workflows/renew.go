package workflows

import (
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/signoff"
)

// renew takes back what people were asked before our records came out of a backup: what they decided since may be lost, and what it
// led to stands. They are asked anew, with the targets as they are now. Who forges this signal makes people decide twice, and no call.
func (r *run) renew(restored time.Time) {
	for _, req := range r.asks {
		if open := req.state == signoff.StateOpen || req.state == signoff.StateQuorum; open && !req.view.Envelope.Issued.After(restored) {
			req.state, req.renewed = signoff.StateVoided, true
			req.why = "the records came out of a backup, and what was done since is not known to them"
		}
	}
}
