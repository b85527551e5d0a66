package console

import (
	"net/url"
	"strings"

	"github.com/tourniquet-ir/tourniquet/internal/report"
)

// atFirst is how many entries of a ledger a page shows unless all are asked for.
const atFirst = 150

// timeFilter narrows the timeline of a run and says what it hides.
type timeFilter struct {
	Lane, Step string
	Bad, All   bool
	Choices    []choice
	Hidden     int    // by lane, step and kind
	Later      int    // not shown because there are too many
	AllLink    string // shows them
}

// choice is one way to look at the timeline.
type choice struct {
	Name, Link string
	Count      int
	On         bool
}

func readTimeFilter(q url.Values) timeFilter {
	return timeFilter{Lane: q.Get("lane"), Step: q.Get("step"), Bad: q.Get("only") == "trouble", All: q.Get("all") == "1"}
}

func (f *timeFilter) lets(m report.Moment) bool {
	return (f.Lane == "" || m.Lane == f.Lane) && (!f.Bad || m.Bad) && (f.Step == "" || m.Step == f.Step || strings.HasPrefix(m.Step, f.Step+"/"))
}

// apply picks entries, counts what it leaves out, and makes the links to the other ways to look.
func (f *timeFilter) apply(all []report.Moment, page string) []report.Moment {
	lanes, bad := map[string]int{}, 0
	out := make([]report.Moment, 0, len(all))
	for _, m := range all {
		lanes[m.Lane]++
		if m.Bad {
			bad++
		}
		if f.lets(m) {
			out = append(out, m)
		}
	}
	f.Hidden = len(all) - len(out)
	link := func(q url.Values) string { return page + "?" + q.Encode() + "#h-time" }
	f.Choices = []choice{{"everything", page + "#h-time", len(all), f.Lane == "" && !f.Bad && f.Step == ""}}
	for _, lane := range []string{report.LanePeople, report.LaneProvider, report.LaneSystem} {
		f.Choices = append(f.Choices, choice{lane, link(url.Values{"lane": {lane}}), lanes[lane], f.Lane == lane})
	}
	f.Choices = append(f.Choices, choice{"trouble", link(url.Values{"only": {"trouble"}}), bad, f.Bad})
	if f.Step != "" {
		f.Choices = append(f.Choices, choice{"step " + f.Step, link(url.Values{"step": {f.Step}}), len(out), true})
	}
	if len(out) > atFirst && !f.All {
		q := url.Values{"all": {"1"}}
		for name, v := range map[string]string{"lane": f.Lane, "step": f.Step} {
			if v != "" {
				q.Set(name, v)
			}
		}
		if f.Bad {
			q.Set("only", "trouble")
		}
		f.Later, f.AllLink = len(out)-atFirst, link(q)
		out = out[:atFirst]
	}
	return out
}
