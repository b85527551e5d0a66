package graph

import (
	"fmt"

	"github.com/tourniquet-ir/tourniquet/internal/signoff"
	"github.com/tourniquet-ir/tourniquet/playbooks"
)

// Options of a picture; the zero value draws the playbook alone.
type Options struct {
	Status  map[string]string // of a run, by the path of a step: done, running, waiting, skipped, declined, failed, stopped
	Default []signoff.Seat    // who signs what policy does not let run by itself
	Bare    bool              // without CSS, for pages that bring it along; see CSS
}

type drawer struct {
	Options
}

// SVG draws a program.
func SVG(p *playbooks.Program, o Options) []byte {
	d := drawer{o}
	picture := stack(d.sections(p))
	key := legend(o.Status != nil)
	w := max(picture.w, key.w) + 2*pad
	head := wrap(p.Title, (w-2*pad)/11, 4)
	top := 30 + len(head)*22
	h := top + picture.h + gap + key.h + pad
	c := &canvas{}
	c.add(`<svg xmlns="http://www.w3.org/2000/svg" class="playbook" viewBox="0 0 %d %d" width="%d" height="%d" role="img" aria-labelledby="t d">`, w, h, w, h)
	c.add(`<title id="t">%s</title>`, escape(p.Title))
	c.add(`<desc id="d">%s</desc>`, escape("The steps of the playbook "+p.ID+" from top to bottom. The command playbook show tells the same in sentences."))
	if !o.Bare {
		c.add("<style>%s</style>", CSS())
	}
	c.add(`<defs><pattern id="stripes" width="16" height="10" patternUnits="userSpaceOnUse" patternTransform="skewX(-45)"><rect class="dark" width="8" height="10"/><rect class="light" x="8" width="8" height="10"/></pattern></defs>`)
	c.rect("paper", 0, 0, w, h, 0)
	y := 34
	for _, l := range head {
		c.add(`<text class="title" x="%d" y="%d" text-anchor="middle">%s</text>`, w/2, y, escape(l))
		y += 22
	}
	picture.draw(c, (w-picture.w)/2, top)
	key.draw(c, (w-key.w)/2, top+picture.h+gap)
	c.add("</svg>")
	return []byte(c.b.String())
}

// sections are the start, the steps, and what happens afterwards.
func (d drawer) sections(p *playbooks.Program) []box {
	start := leaf{class: "start", title: starts(p), bold: []string{"Start"}, code: wrap(starts(p), leafChars-4, 4)}
	boxes := []box{start.box()}
	if p.NeedsKey {
		boxes = append(boxes, leaf{class: classObserve, title: "identify: key.identify", bold: []string{"Which key is it?"}, code: []string{"identify · key.identify"}, small: []string{effectWord(classObserve)}, status: d.Status["identify"]}.box())
	}
	boxes = append(boxes, d.steps(p.Steps, "", false)...)
	out := []box{stack(boxes)}
	if n := len(boxes) - 1; !boxes[n].ends {
		end := leaf{class: "end", title: "end", bold: []string{"The run ends"}, small: []string{"contained, if the old key was seen refused"}, ends: true}
		out = []box{stack(append(boxes, end.box()))}
	}
	if len(p.OnFailure) > 0 {
		out = append(out, frame("aside", "If the run failed or was stopped", last(stack(d.steps(p.OnFailure, "", false)))))
	}
	if len(p.Finally) > 0 {
		out = append(out, frame("aside", "In the end, always", last(stack(d.steps(p.Finally, "", false)))))
	}
	out[0] = last(out[0])
	return out
}

// last is a box that no road leaves.
func last(b box) box {
	b.ends = true
	return b
}

func (d drawer) steps(all []playbooks.Step, path string, covered bool) []box {
	var out []box
	for i := range all {
		out = append(out, d.step(&all[i], playbooks.JoinPath(path, all[i].ID), covered))
	}
	return out
}

// step is a step with what stands before it: first its condition, then its sign-off.
func (d drawer) step(st *playbooks.Step, path string, covered bool) box {
	inside := covered || st.Signoff != nil
	out := box{}
	switch st.Kind {
	case playbooks.KindGroup:
		out = frame("group"+statusClass(d.Status[path]), name(st), stack(d.steps(st.Steps, path, inside)))
	case playbooks.KindParallel:
		out = frame("together"+statusClass(d.Status[path]), "At the same time: "+name(st), fork(d.steps(st.Steps, path, inside)))
	case playbooks.KindLoop:
		out = frame("loop"+statusClass(d.Status[path]), "↻ "+loopHead(st), stack(d.steps(st.Steps, path, inside)))
	case playbooks.KindPlaybook:
		out = d.sub(st, path, inside)
	default:
		out = d.leaf(st, path, inside)
	}
	if st.Signoff != nil {
		out = gate(seats(st.Signoff.Seats), terms(st.Signoff), out)
	}
	if st.If != "" {
		out = conditional(st.If, out)
		out.ends = false // the way around goes on
	}
	return out
}

// sub is another playbook, with what it does at its end.
func (d drawer) sub(st *playbooks.Step, path string, inside bool) box {
	if st.Sub == nil {
		return leaf{class: "sub", title: st.ID, bold: wrap(name(st), leafChars-4, 2)}.box()
	}
	parts := d.steps(st.Sub.Steps, path, inside)
	for i := range parts {
		parts[i].ends = false // an end inside ends the other playbook alone
	}
	if len(st.Sub.OnFailure) > 0 {
		parts = append(parts, frame("aside", "If that failed or was stopped", stack(d.steps(st.Sub.OnFailure, path, inside))))
	}
	if len(st.Sub.Finally) > 0 {
		parts = append(parts, frame("aside", "At its end, always", stack(d.steps(st.Sub.Finally, path, inside))))
	}
	return frame("sub"+statusClass(d.Status[path]), fmt.Sprintf("Playbook %s: %s", st.Sub.ID, name(st)), stack(parts))
}
