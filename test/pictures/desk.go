package main

import (
	"context"
	"fmt"

	"github.com/tourniquet-ir/tourniquet/integrations/chat"
	"github.com/tourniquet-ir/tourniquet/internal/sandbox"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
)

// desk says what the gateway says. It keeps nothing: only pictures are made here.
type desk struct{ views map[string]signoff.View }

func newDesk() *desk { return &desk{views: map[string]signoff.View{}} }

func (d *desk) Press(_ context.Context, p chat.Press) (string, bool) {
	if p.User == sandbox.UserKim {
		return `"kim" may not decide this request, having a part in it; 2 of group "secops" may. Your attempt is in the record.`, false
	}
	return "You approved this. 1 of 2 seats are filled.", true
}

func (d *desk) View(_ context.Context, request, _ string) (signoff.View, error) {
	v, ok := d.views[request]
	if !ok {
		return v, fmt.Errorf("there is no request %q", request)
	}
	return v, nil
}

func (d *desk) Command(_ context.Context, _, text string) string {
	switch text {
	case "status":
		return "Automatic actions may run.\n1 sign-off is open.\n0 questions are open.\nTo see them: /tourniquet list"
	case "list":
		return "so-4b1d9c07e2aa61f0: Revoke the stolen key for good. 1 of 2 seats, until 2026-11-23 07:12 UTC"
	}
	return "Automatic actions are on hold. Sign-offs go on."
}

func (d *desk) Shown(context.Context, string) bool { return true }
