package report

import (
	"encoding/json"
	"strings"

	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
	"github.com/tourniquet-ir/tourniquet/internal/wire"
)

// inputsDomain is the domain under which a call's row digests what is sent.
const inputsDomain = "tourniquet/inputs/v1"

// Verdicts of comparing what was approved with what was executed.
const (
	Same       = "approved = executed"
	Completed  = "executed as approved, with the value that an earlier call made"
	Automatic  = "automatic under policy, no sign-off"
	Differs    = "differs from what was approved"
	Unshown    = "not among the approved calls"
	Undigested = "cannot be compared: the row holds no digest"
)

// Receipt is one call with what it was approved as.
type Receipt struct {
	database.CallRow
	Summary string `json:"summary,omitempty"`
	Already bool   `json:"already,omitempty"`
	Verdict string `json:"verdict"`
	Good    bool   `json:"good"`
}

func receipts(rows []database.CallRow, views []signoff.View) []Receipt {
	out := make([]Receipt, 0, len(rows))
	for _, c := range rows {
		r := Receipt{CallRow: c}
		var res wire.Result
		if json.Unmarshal(c.Receipt, &res) == nil {
			r.Summary, r.Already = res.Summary, res.Already
		}
		r.Verdict = verdict(c, views)
		r.Good = r.Verdict == Same || r.Verdict == Completed || r.Verdict == Automatic
		out = append(out, r)
	}
	return out
}

// verdict compares a row with the frozen call of its request: same step, action, target and digest of the arguments.
func verdict(c database.CallRow, views []signoff.View) string {
	if c.Request == "" {
		return Automatic
	}
	for _, v := range views {
		if v.Request != c.Request {
			continue
		}
		for _, p := range v.Envelope.Calls {
			if p.Step == c.Step {
				return compare(c, p)
			}
		}
	}
	return Unshown
}

func compare(c database.CallRow, p signoff.PlannedCall) string {
	if p.Action != c.Action || p.Target != c.Target {
		return Differs
	}
	if !strings.HasPrefix(c.Digest, "sha256:") {
		return Undigested
	}
	digest, err := signoff.HashJSON(inputsDomain, p.Inputs)
	if err == nil && digest == c.Digest {
		return Same
	}
	if raw, err := json.Marshal(p.Inputs); err == nil && strings.Contains(string(raw), `"`+signoff.LaterKey+`"`) {
		return Completed
	}
	return Differs
}

func under(all []Receipt, request string) []Receipt {
	out := []Receipt{}
	for _, r := range all {
		if r.Request == request {
			out = append(out, r)
		}
	}
	return out
}
