package intake

import (
	"context"
	"net/http"

	"github.com/tourniquet-ir/tourniquet/integrations/sources"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

// confirm answers a sender that asks whether we want its deliveries: by visiting its address where the operator allowed
// that, otherwise by telling the operator.
func (d *door) confirm(ctx context.Context, name string, c Configured, address string) (answer, error) {
	if c.Confirm == nil {
		d.o.Logger.Warn("a sender asks for the confirmation of its subscription; open this address, or set confirm: true", "source", name, "address", address)
		return answer{Status: "ignored", Reason: "a person confirms the subscription: the address is in the server's log"}, nil
	}
	if err := c.Confirm(ctx, address); err != nil {
		return answer{}, err
	}
	d.o.Logger.Info("subscription confirmed", "source", name)
	return answer{Status: "ignored", Reason: "the subscription is confirmed"}, nil
}

// handshake answers OPTIONS for formats that ask before they send. It lets nobody in: deliveries still need their proof.
func (d *door) handshake(w http.ResponseWriter, r *http.Request) {
	c, known := d.o.Sources[r.PathValue("source")]
	asked, can := c.Source.(interface {
		Handshake(asked http.Header) (http.Header, bool)
	})
	if known && can {
		if h, ok := asked.Handshake(r.Header); ok {
			for name, values := range h {
				w.Header()[name] = values
			}
			w.WriteHeader(http.StatusOK)
			return
		}
	}
	w.Header().Set("Allow", "POST")
	w.WriteHeader(http.StatusMethodNotAllowed)
}

// unread is the alert of a genuine delivery that cannot be read: its sender would drop it for good on a refusal, so it is kept
// as it came, and the starter sets it aside with the reason.
func unread(reason string, r sources.Request) sources.Delivery {
	return sources.Delivery{
		Headers: map[string]string{"Content-Type": r.Headers.Get("Content-Type")},
		Findings: []sources.Decoded{{Alert: incident.Alert{
			Kind: incident.KindUnread, Severity: "low", Title: "A delivery that could not be read: " + reason, Fingerprint: "unread|" + digest(r.Body), ObservedAt: r.At,
		}}},
	}
}
