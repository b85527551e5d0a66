package activities

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/integrations/webhooks"
	"github.com/tourniquet-ir/tourniquet/playbooks"
)

func webhookSend() Action {
	return Action{
		Card: notifies("webhook.send", "Tell another system, signed as Standard Webhooks say; only receivers of the configuration can be named",
			[]playbooks.Field{
				{Name: "to", Type: playbooks.TypeString, Required: true, Doc: "a name under notify.webhooks"},
				{Name: "event", Type: playbooks.TypeString, Required: true, Doc: "what happened, as incident.contained"},
				{Name: "text", Type: playbooks.TypeString, Doc: "a sentence about it"},
				{Name: "data", Type: playbooks.TypeAny, Doc: "anything more, as JSON"},
			},
			[]playbooks.Field{{Name: "id", Type: playbooks.TypeString, Required: true, Doc: "webhook-id, the same for every repeat"}},
			map[string]any{"id": "msg_0a1b2c3d4e5f"}),
		Run: sendWebhook,
	}
}

func sendWebhook(ctx context.Context, h *House, in In) (Output, error) {
	if h.Hooks == nil {
		return Output{}, keys.Permanent(errors.New("no receiver is listed under notify.webhooks"))
	}
	sum := sha256.Sum256([]byte("tourniquet/webhook/v1\n" + in.Run + "\n" + in.Step))
	e := webhooks.Event{ID: "msg_" + hex.EncodeToString(sum[:12]), Type: in.Text("event"), At: in.At.UTC(), Data: map[string]any{
		"incident": in.Incident, "run": in.Run, "step": in.Step, "text": in.Text("text"),
	}}
	if h.Console != "" {
		e.Data["link"] = h.Console + "/runs/" + in.Run
	}
	if more, given := in.With["data"]; given {
		e.Data["data"] = more
	}
	if err := h.Hooks.Send(ctx, in.Text("to"), e); err != nil {
		return Output{}, err
	}
	return Output{Summary: "sent to " + in.Text("to"), Values: map[string]any{"id": e.ID}}, nil
}
