package slack

import (
	"encoding/json"
	"fmt"

	"github.com/tourniquet-ir/tourniquet/integrations/chat"
)

// Verbs of a route. Only approve, reject and answer reach the desk as presses.
const (
	verbReview     = "review"      // opens the review modal
	verbRejectForm = "reject_form" // opens the form that asks for a reason
	verbPage       = "page"        // turns a page of the review
	verbApprove    = "approve"
	verbReject     = "reject"
	verbAnswer     = "answer"
)

// route is what buttons and modals carry. It only says where an act goes: the desk checks everything in it.
type route struct {
	Request string `json:"request"`
	Digest  string `json:"digest,omitempty"`
	Verb    string `json:"verb"`
	Answer  string `json:"answer,omitempty"`
	Channel string `json:"channel,omitempty"`
	TS      string `json:"ts,omitempty"`
	Page    int    `json:"page,omitempty"`
}

func (r route) String() string {
	raw, err := json.Marshal(r)
	if err != nil {
		return "" // strings and an int cannot fail
	}
	return string(raw)
}

func (r route) delivery() chat.Delivery { return chat.Delivery{Channel: r.Channel, TS: r.TS} }

func readRoute(s string) (route, error) {
	var r route
	if err := json.Unmarshal([]byte(s), &r); err != nil || r.Request == "" || r.Verb == "" {
		return route{}, fmt.Errorf("this button does not say which request it belongs to; open the newest copy of the card")
	}
	return r, nil
}
