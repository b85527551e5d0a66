package console

import (
	"fmt"
	"strings"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/report"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
)

// chart is the course of a run in lanes. Places are percent of its width.
type chart struct {
	Lanes []track
	Ticks []tick
	Marks []tick
}

type track struct {
	Name string
	Bars []bar

	all int // bars before some were folded into one
}

// mostBars is how many bars of a lane can be told apart.
const mostBars = 150

// folded puts bars of one colour that lie on each other into one, where there are too many to be seen.
func (t track) folded() track {
	if len(t.Bars) <= mostBars {
		return t
	}
	type place struct{ x, tone string }
	at := map[place]int{}
	kept := t.Bars[:0:0]
	for _, b := range t.Bars {
		p := place{strings.SplitN(b.X, ".", 2)[0], b.Tone} // a hundredth of the width
		if i, ok := at[p]; ok {
			kept[i].more++
			kept[i].Label = fmt.Sprintf("%s, and %d more", kept[i].first, kept[i].more)
			continue
		}
		b.first = b.Label
		at[p] = len(kept)
		kept = append(kept, b)
	}
	return track{Name: t.Name, Bars: kept, all: len(t.Bars)}
}

// mostSaid is how many bars a lane tells one by one to those who do not see it.
const mostSaid = 12

// Words are the lane in a sentence; the steps below say all of it.
func (t track) Words() string {
	switch n := max(len(t.Bars), t.all); {
	case n == 0:
		return t.Name + ": nothing recorded"
	case n > mostSaid:
		return fmt.Sprintf("%s: %d entries, each of which stands below", t.Name, n)
	}
	said := make([]string, 0, len(t.Bars))
	for _, b := range t.Bars {
		said = append(said, b.Label)
	}
	return t.Name + ": " + strings.Join(said, "; ")
}

type bar struct {
	X, W, Tone, Label string
	Dot               bool // one act rather than a stretch of time

	first string // label of the first of several that were folded into one
	more  int
}

type tick struct{ X, Label string }

// scale maps a moment to a place.
type scale struct{ from, to time.Time }

func (s scale) at(t time.Time) float64 {
	p := float64(t.Sub(s.from)) / float64(s.to.Sub(s.from)) * 100
	return min(max(p, 0), 100)
}

func percent(p float64) string { return fmt.Sprintf("%.2f%%", p) }

// minWidth keeps what was over in an instant visible.
const minWidth = 0.7

func (s scale) bar(from, to time.Time, tone, label string) bar {
	x := s.at(from)
	w := max(s.at(to)-x, minWidth)
	return bar{X: percent(min(x, 100-minWidth)), W: percent(w), Tone: tone, Label: label, Dot: from.Equal(to)}
}

// lanes draws the run from its first alert to its end, or to now. An attacker who was there before begins at the edge.
func lanes(f *report.Facts, now time.Time) chart {
	s := scale{f.Zero, f.Run.FinishedAt}
	if s.to.IsZero() {
		s.to = now
	}
	if !f.Run.StartedAt.IsZero() && f.Run.StartedAt.Before(s.from) {
		s.from = f.Run.StartedAt
	}
	if s.from.IsZero() || !s.to.After(s.from) {
		return chart{}
	}
	margin := s.to.Sub(s.from) / 40
	s.from, s.to = s.from.Add(-margin), s.to.Add(margin)
	c := chart{Lanes: []track{attacker(f, s), peopleLane(f, s, now)}}
	system, provider := steps(f, s, now)
	c.Lanes = append(c.Lanes, system.folded(), provider.folded())
	for _, m := range f.Marks {
		if m.Known() && !m.At.Before(s.from) {
			c.Marks = append(c.Marks, tick{percent(s.at(m.At)), m.Title + " " + f.SinceAlert(m.At)})
		}
	}
	for i := range 5 {
		t := s.from.Add(margin + (s.to.Sub(s.from)-2*margin)*time.Duration(i)/4)
		c.Ticks = append(c.Ticks, tick{percent(s.at(t)), report.Since(t.Sub(f.Zero))})
	}
	return c
}

func attacker(f *report.Facts, s scale) track {
	t := track{Name: "Attacker"}
	from, to := f.Mark("first_abuse").At, f.Mark("contained").At
	if from.IsZero() {
		return t
	}
	label := "could spend from " + report.Stamp(from)
	if to.IsZero() {
		to, label = s.to, label+", not known to be contained"
	} else {
		label += " until contained at " + report.Stamp(to)
	}
	t.Bars = append(t.Bars, s.bar(from, to, "bad", label))
	return t
}

// peopleLane shows how long people were waited for, and each attempt.
func peopleLane(f *report.Facts, s scale, now time.Time) track {
	t := track{Name: "People"}
	for _, so := range f.Signoffs {
		end, tone := now, "warn"
		if n := len(so.View.Decided); n > 0 && so.View.State != signoff.StateOpen {
			end = so.View.Decided[n-1].At
		} else if so.View.State != signoff.StateOpen {
			end = so.View.Envelope.Expires
		}
		t.Bars = append(t.Bars, s.bar(so.View.Envelope.Issued, end, tone, "waiting for sign-off: "+so.View.Title))
		for _, a := range so.Attempts {
			tone := "good"
			if !a.Accepted || a.Verb == signoff.Reject {
				tone = "bad"
			}
			t.Bars = append(t.Bars, s.bar(a.At, a.At, tone, report.Who(a)+": "+a.Verb+", "+report.Result(a)))
		}
	}
	for _, q := range f.Questions {
		from, end := q.At, q.At
		for _, m := range f.Timeline {
			if m.Kind == "question.asked" && m.Step == q.Step {
				from = m.At
			}
		}
		if !q.Answered() {
			end = now
		}
		if !from.IsZero() {
			t.Bars = append(t.Bars, s.bar(from, end, "warn", "waiting for an answer to "+q.ID))
		}
	}
	return t
}

func steps(f *report.Facts, s scale, now time.Time) (system, provider track) {
	system.Name, provider.Name = "System", "Provider"
	for _, st := range f.Steps {
		if st.StartedAt.IsZero() {
			continue
		}
		end := st.FinishedAt
		if end.IsZero() {
			end = now
		}
		label, to := st.Title, &system
		if label == "" {
			label = st.Path
		}
		if st.Effect == signoff.EffectUndoable || st.Effect == signoff.EffectFinal {
			to = &provider
		}
		to.Bars = append(to.Bars, s.bar(st.StartedAt, end, tone(st.Status), label+": "+st.Status))
	}
	return system, provider
}
