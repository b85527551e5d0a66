package main

import (
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"time"

	"github.com/tourniquet-ir/tourniquet/integrations/paging/pagerduty"
	"github.com/tourniquet-ir/tourniquet/integrations/webhooks"
	"github.com/tourniquet-ir/tourniquet/integrations/webhooks/standard"
	"github.com/tourniquet-ir/tourniquet/internal/outbound"
)

func drivePagerDuty(ctx context.Context, t *tape) error {
	pd := world().PagerDuty()
	p, err := pagerduty.New(pagerduty.Options{RoutingKey: pd.RoutingKey(), Endpoint: t.serve("pagerduty", pd)})
	if err != nil {
		return err
	}
	return errors.Join(
		t.do("people.page", func() error { return p.Page(ctx, "run-1/page", "A key is being spent", []string{"ana", "bo"}) }),
		t.do("people.page (somebody has it)", func() error { return p.Acknowledge(ctx, "run-1/page") }),
		t.do("people.page (it is over)", func() error { return p.Resolve(ctx, "run-1/page") }),
	)
}

// driveWebhook sends to a receiver of our own making: Standard Webhooks describe headers and signature, and no form.
func driveWebhook(ctx context.Context, t *tape) error {
	guard, err := outbound.NewGuard(nil, []string{"127.0.0.1"})
	if err != nil {
		return err
	}
	url := t.serve("receiver", http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(http.StatusNoContent) }))
	secret := "whsec_" + base64.StdEncoding.EncodeToString(make([]byte, 32))
	s, err := standard.New(guard, []standard.Receiver{{Name: "soar", URL: url + "/hook", Secrets: []string{secret}}}, time.Now)
	if err != nil {
		return err
	}
	return t.do("webhook.send", func() error {
		return s.Send(ctx, "soar", webhooks.Event{ID: "msg_1", Type: "incident.contained", At: time.Now(), Data: map[string]any{"run": "run-1"}})
	})
}
