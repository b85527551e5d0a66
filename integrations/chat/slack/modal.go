package slack

import (
	"fmt"

	slackapi "github.com/slack-go/slack"

	"github.com/tourniquet-ir/tourniquet/integrations/chat"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
)

const (
	reasonBlock  = "reason"
	reasonAction = "reason"
	mostReason   = 1000
)

// RejectForm asks for the reason that a rejection needs.
func RejectForm(v signoff.View, d chat.Delivery) slackapi.ModalViewRequest {
	at := route{Request: v.Request, Digest: v.Digest, Verb: verbReject, Channel: d.Channel, TS: d.TS}
	input := slackapi.NewPlainTextInputBlockElement(plain("for example: this key belongs to the payroll job"), reasonAction)
	input.Multiline = true
	input.MinLength = 1
	input.MaxLength = mostReason
	why := slackapi.NewInputBlock(reasonBlock, plain("Why must this not run?"), plain("Kept in the record. It ends the request at once."), input)
	return slackapi.ModalViewRequest{
		Type: slackapi.VTModal, Title: plain("Reject"), Submit: plain("Reject"), Close: plain("Cancel"),
		CallbackID: "tourniquet_reject", PrivateMetadata: at.String(),
		Blocks: slackapi.Blocks{BlockSet: []slackapi.Block{
			cardHeader(v),
			footnote(cut(fmt.Sprintf("request %s · check code %s", line(v.Request), line(v.Code)), 300)),
			why,
		}},
	}
}

// answerModal shows what became of a press. It cannot be submitted.
func answerModal(title, answer string) *slackapi.ModalViewRequest {
	return &slackapi.ModalViewRequest{
		Type: slackapi.VTModal, Title: plain(title), Close: plain("Close"),
		Blocks: slackapi.Blocks{BlockSet: []slackapi.Block{rich(section(text(cut(show(answer), 2000))))}},
	}
}
