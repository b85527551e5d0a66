package activities

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

// usageTable is the use of a key in one form, whoever the provider is. It is evidence beside the raw answers.
type usageTable struct {
	Key        string       `json:"key"`
	Since      time.Time    `json:"since"`
	Until      time.Time    `json:"until"`
	Requests   *int64       `json:"requests"` // null: the provider counts none
	Tokens     *int64       `json:"tokens"`
	MicroUSD   *int64       `json:"micro_usd"`
	CostBasis  string       `json:"cost_basis"`
	FirstAbuse *time.Time   `json:"first_abuse"`
	Incomplete string       `json:"incomplete,omitempty"`
	Totals     []keys.Total `json:"totals"`

	Rows []keys.UsageRow `json:"rows"`
}

// tableName is the table among the evidence of a step.
const tableName = "usage-table.json"

func tableOf(k incident.Key, since, until time.Time, u keys.Usage, totals []keys.Total) (keys.Raw, error) {
	t := usageTable{Key: k.Target(), Since: since.UTC(), Until: until.UTC(), CostBasis: u.CostBasis, Incomplete: u.Incomplete, Totals: totals, Rows: u.Rows}
	if !u.NoRequests {
		t.Requests = &u.Requests
	}
	if !u.NoTokens {
		t.Tokens = &u.Tokens
	}
	if u.CostKnown {
		t.MicroUSD = &u.MicroUSD
	}
	if !u.FirstAbuse.IsZero() {
		t.FirstAbuse = &u.FirstAbuse
	}
	body, err := json.MarshalIndent(t, "", "  ")
	return keys.Raw{Name: tableName, Body: body}, err
}

const (
	mostLines = 20 // of the table outside evidence
	mostWide  = 60 // characters of what a caller may have made up
)

// tableLines is the table as people and expressions read it: the dearest lines first, and how many were left out.
func tableLines(u keys.Usage, totals []keys.Total) []string {
	lines := []string{}
	for i, t := range totals {
		if i == mostLines {
			lines = append(lines, fmt.Sprintf("and %d lines more, in the evidence %s", len(totals)-mostLines, tableName))
			break
		}
		lines = append(lines, tableLine(u, t))
	}
	return lines
}

func tableLine(u keys.Usage, t keys.Total) string {
	what := []string{}
	for _, part := range [][2]string{{"", t.Model}, {"", t.Method}, {"in ", t.Region}, {"from ", t.Address}, {"with ", t.Agent}, {"answered ", t.Code}} {
		if part[1] != "" {
			what = append(what, part[0]+narrow(part[1]))
		}
	}
	if len(what) == 0 {
		what = []string{"all use"}
	}
	figures := []string{}
	if t.Requests > 0 || !u.NoRequests {
		figures = append(figures, fmt.Sprintf("%d calls", t.Requests))
	}
	if t.Tokens > 0 {
		figures = append(figures, fmt.Sprintf("%d tokens", t.Tokens))
	}
	if t.MicroUSD > 0 {
		figures = append(figures, usd(t.MicroUSD)+" USD")
	}
	figures = append(figures, t.First.UTC().Format("2006-01-02 15:04")+" to "+t.Last.UTC().Format("2006-01-02 15:04"))
	if t.Probing {
		figures = append(figures, "a call by which thieves try keys")
	}
	return strings.Join(what, " ") + ": " + strings.Join(figures, ", ")
}

// narrow is a text on one line and of bounded length.
func narrow(s string) string {
	s = strings.Join(strings.Fields(strings.ToValidUTF8(s, "?")), " ")
	if r := []rune(s); len(r) > mostWide {
		s = string(r[:mostWide-1]) + "…"
	}
	return s
}

// inWords sums a snapshot up in one sentence, with what the provider counts and nothing else.
func inWords(out map[string]any, u keys.Usage) string {
	words := []string{}
	if !u.NoRequests {
		words = append(words, fmt.Sprintf("%d calls", u.Requests))
	}
	if !u.NoTokens && (u.NoRequests || u.Tokens > 0) {
		words = append(words, fmt.Sprintf("%d tokens", u.Tokens))
	}
	if u.CostKnown {
		words = append(words, usd(u.MicroUSD)+" USD "+u.CostBasis)
	}
	if burn, known := out["burn_usd_per_hour"].(float64); known && burn > 0 {
		words = append(words, fmt.Sprintf("%.2f USD an hour while it went on", burn))
	}
	if n, _ := out["probing"].(int64); n > 0 {
		words = append(words, fmt.Sprintf("%d calls by which thieves try keys", n))
	}
	text := strings.Join(words, ", ")
	if u.Incomplete != "" {
		text = "at least " + text + ": " + u.Incomplete
	}
	return text
}
