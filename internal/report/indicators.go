package report

import (
	"encoding/json"
	"fmt"
	"slices"
)

// Indicator is something by which the intruder can be known elsewhere.
type Indicator struct {
	Kind  string `json:"kind"`
	Value string `json:"value"`
	From  string `json:"from"` // the step or alert that says so
}

// Kinds of indicator.
const (
	IndicatorAddress = "address"
	IndicatorAgent   = "user_agent"
	IndicatorRegion  = "region"
	IndicatorModel   = "model"
	IndicatorProbing = "probing_calls"
	IndicatorTrace   = "trace"
	IndicatorWhere   = "leaked_at"
)

// indicators collects what snapshots, scans and alerts name, each value once, in their order.
func (f *Facts) indicators() []Indicator {
	out := []Indicator{}
	add := func(kind, value, from string) {
		if value == "" || slices.ContainsFunc(out, func(i Indicator) bool { return i.Kind == kind && i.Value == value }) {
			return
		}
		out = append(out, Indicator{kind, value, from})
	}
	for _, a := range f.Alerts {
		add(IndicatorWhere, a.Alert.Key.Where, "alert "+a.Alert.ID)
		for _, l := range a.Alert.Links {
			add(IndicatorWhere, l, "alert "+a.Alert.ID)
		}
	}
	for _, s := range f.Steps {
		switch s.Action {
		case snapshot:
			for _, named := range []struct{ kind, output string }{
				{IndicatorAddress, "new_addresses"}, {IndicatorAgent, "agents"}, {IndicatorRegion, "regions"}, {IndicatorModel, "models"},
			} {
				for _, v := range texts(s.Outputs, named.output) {
					add(named.kind, v, s.Path)
				}
			}
			if n, ok := field(s.Outputs, "probing").(float64); ok && n > 0 {
				add(IndicatorProbing, fmt.Sprintf("%.0f calls by which thieves are known to try a key", n), s.Path)
			}
		case scan:
			for _, v := range texts(s.Outputs, "items") {
				add(IndicatorTrace, v, s.Path)
			}
		}
	}
	return out
}

// texts reads an output that is a list of strings.
func texts(raw json.RawMessage, name string) (out []string) {
	list, _ := field(raw, name).([]any)
	for _, v := range list {
		if s, ok := v.(string); ok {
			out = append(out, s)
		}
	}
	return out
}
