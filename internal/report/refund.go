package report

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/evidence"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

// RefundSchema names the version of refund.json.
const RefundSchema = "tourniquet/refund/v1"

// Refund is what a provider's billing support needs: which key, from when to when, how many calls, how much money, and the
// digests under which the provider's own answers lie in the same bundle.
type Refund struct {
	Schema     string           `json:"schema"`
	Drill      bool             `json:"drill"`
	Incident   string           `json:"incident"`
	Run        string           `json:"run"`
	Provider   string           `json:"provider"`
	Account    string           `json:"account"`
	Project    string           `json:"project,omitempty"`
	Key        string           `json:"key"`
	Hint       string           `json:"hint"`
	Times      []Mark           `json:"times"`
	Calls      string           `json:"calls_after_compromise"`
	Cost       string           `json:"cost_after_compromise"`
	Basis      string           `json:"basis"`
	Incomplete string           `json:"incomplete,omitempty"` // why the figures are a lower bound
	Counted    string           `json:"counted"`
	Indicators []Indicator      `json:"indicators"`
	Curve      []Bucket         `json:"curve"`
	Evidence   []RefundEvidence `json:"evidence"`
	Ledger     string           `json:"ledger_head"`
}

// RefundEvidence is one answer of the provider as it came.
type RefundEvidence struct {
	File   string    `json:"file"`
	Name   string    `json:"name"`
	Digest string    `json:"digest"`
	Step   string    `json:"step"`
	At     time.Time `json:"at"`
}

// Refund gathers the pack.
func (f *Facts) Refund() Refund {
	r := Refund{Schema: RefundSchema, Drill: f.Drill, Incident: f.Run.Incident, Run: f.Run.ID, Times: f.Marks, Calls: f.figure("abuse_calls").Text, Cost: f.figure("abuse_usd").Text,
		Basis: f.figure("abuse_usd").Basis, Counted: "all calls with this key from the first abuse on, as the provider reported them; honest ones among them",
		Indicators: f.Indicators, Curve: f.Curve, Evidence: []RefundEvidence{}}
	if k := f.Run.Key; k != nil {
		r.Provider, r.Account, r.Project, r.Key, r.Hint = k.Provider, k.Account, k.Project, k.ID, k.Hint
	}
	for _, s := range f.Steps {
		if why, ok := field(s.Outputs, "incomplete").(string); ok && s.Action == snapshot {
			r.Incomplete = why
		}
	}
	for _, e := range f.usageEvidence() {
		r.Evidence = append(r.Evidence, RefundEvidence{"evidence/" + safe(e.Digest), e.Name, e.Digest, e.Step, e.At})
	}
	if n := len(f.Ledger); n > 0 {
		r.Ledger = f.Ledger[n-1].Hash
	}
	return r
}

// usageEvidence is what usage snapshots kept of the provider's answers.
func (f *Facts) usageEvidence() (out []incident.Evidence) {
	looked := map[string]bool{}
	for _, s := range f.Steps {
		looked[s.Path] = s.Action == snapshot
	}
	for _, e := range f.Evidence {
		if looked[e.Step] {
			out = append(out, e)
		}
	}
	return out
}

// RefundFiles are patterns of what a refund pack tells; everything else in the bundle is withheld.
func (f *Facts) RefundFiles() []string {
	keep := []string{"refund.*"}
	for _, e := range f.usageEvidence() {
		if name := "evidence/" + safe(e.Digest); !slices.Contains(keep, name) {
			keep = append(keep, name)
		}
	}
	return keep
}

// refunds are the files of the pack.
func (f *Facts) refunds() ([]evidence.File, error) {
	r := f.Refund()
	raw, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("refund pack: %w", err)
	}
	rows := [][]string{{"from_utc", "calls", "usd"}}
	for _, b := range r.Curve {
		usd := Unknown
		if b.USD != nil {
			usd = strconv.FormatFloat(*b.USD, 'f', 2, 64)
		}
		rows = append(rows, []string{b.At.Format(time.RFC3339), strconv.FormatInt(b.Calls, 10), usd})
	}
	table, err := sheet(rows)
	if err != nil {
		return nil, err
	}
	return []evidence.File{evidence.Bytes("refund.json", append(Neutral(raw), '\n')), evidence.Bytes("refund.md", r.Markdown()), evidence.Bytes("refund.csv", table)}, nil
}

// Markdown is the letter.
func (r Refund) Markdown() []byte {
	p := &page{}
	p.line("# Charges after a key was stolen\n")
	if r.Drill {
		p.line("**%s**\n", watermark)
	}
	p.line("A key of ours was stolen and used by somebody else. These are the times, calls and costs as %s itself reported them.", code(r.Provider))
	p.line("The files of this pack are signed; `tourniquet evidence verify` checks them offline with our public key.\n")
	p.line("| | |\n|---|---|")
	for _, row := range [][2]string{{"Account", r.Account}, {"Project", r.Project}, {"Key", strings.TrimSpace(r.Key + " " + r.Hint)}, {"Our incident", r.Incident}, {"Our run", r.Run}} {
		p.line("| %s | %s |", row[0], cell(row[1]))
	}
	p.line("| Calls after the compromise | **%s** |\n| Cost after the compromise | **%s** %s |", r.Calls, r.Cost, cell(r.Basis))
	p.line("| What was counted | %s |", r.Counted)
	if r.Incomplete != "" {
		p.line("| These figures are a lower bound | %s |", cell(r.Incomplete))
	}
	p.line("\n## Times\n\n| moment | UTC | how it is found |\n|---|---|---|")
	for _, m := range r.Times {
		p.line("| %s | %s | %s |", m.Title, Stamp(m.At), m.Formula)
	}
	p.line("\n## By what the intruder can be known\n\n| kind | value |\n|---|---|")
	for _, i := range r.Indicators {
		p.line("| %s | %s |", i.Kind, cell(i.Value))
	}
	p.line("\n## Your answers, as we received them\n\n| file | name | received | SHA-256 |\n|---|---|---|---|")
	for _, e := range r.Evidence {
		p.line("| %s | %s | %s | %s |", cell(e.File), cell(e.Name), Stamp(e.At), cell(e.Digest))
	}
	p.line("\nThe head of our ledger at that time: %s", code(r.Ledger))
	return Neutral([]byte(p.String()))
}
