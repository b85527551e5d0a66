package graph

import (
	"fmt"
	"strings"

	"github.com/tourniquet-ir/tourniquet/playbooks"
)

// leaf is one step that holds no others: lines of text in a shape.
type leaf struct {
	class  string
	title  string // whole, for pointers
	bold   []string
	code   []string
	small  []string
	status string
	ends   bool
}

func (l leaf) box() box {
	n := len(l.bold) + len(l.code) + len(l.small)
	out := box{w: leafWidth, h: n*lineHeight + 20, ends: l.ends}
	if l.class == classNotify {
		out.h, out.dip = out.h+8, 8 // the tail of the bubble
	}
	out.draw = func(c *canvas, x, y int) {
		c.open("step "+l.class+statusClass(l.status), l.title)
		middle := x + out.w/2
		c.path("shape", outline(l.class, x, y, out.w, out.h))
		next := c.words("name", middle, y+22, l.bold)
		next = c.words("code", middle, next, l.code)
		c.words("small", middle, next, l.small)
		if l.class == classUndoable {
			turn(c, x+12, y+8)
		}
		badge(c, l.status, x+out.w-4, y)
		c.close()
	}
	return out
}

// outline is the shape of a class: a pill looks, a bubble tells, a box can be undone, an octagon cannot; a hexagon asks.
func outline(class string, x, y, w, h int) string {
	switch class {
	case classObserve:
		r := min(h/2, 26)
		return fmt.Sprintf("M%d %dH%da%d %d 0 0 1 0 %dH%da%d %d 0 0 1 0 -%dz", x+r, y, x+w-r, r, h/2, h, x+r, r, h/2, h)
	case classNotify:
		h -= 8
		return fmt.Sprintf("M%d %dh%da8 8 0 0 1 8 8v%da8 8 0 0 1 -8 8h-%dl-8 8v-8h-%da8 8 0 0 1 -8 -8v-%da8 8 0 0 1 8 -8z", x+8, y, w-16, h-16, w-56, 32, h-16)
	case classFinal:
		return fmt.Sprintf("M%d %dH%dl14 14V%dl-14 14H%dl-14 -14V%dz", x+14, y, x+w-14, y+h-14, x+14, y+14)
	case "ask":
		return fmt.Sprintf("M%d %dL%d %dH%dL%d %dL%d %dH%dz", x, y+h/2, x+20, y, x+w-20, x+w, y+h/2, x+w-20, y+h, x+20)
	case "end", "start", "wait":
		return fmt.Sprintf("M%d %dH%da14 14 0 0 1 14 14V%da14 14 0 0 1 -14 14H%da14 14 0 0 1 -14 -14V%da14 14 0 0 1 14 -14z", x+14, y, x+w-14, y+h-14, x+14, y+14)
	}
	return fmt.Sprintf("M%d %dh%dv%dh-%dz", x, y, w, h, w)
}

// turn is an arrow that goes back: what was done can be undone.
func turn(c *canvas, x, y int) {
	c.path("turn", fmt.Sprintf("M%d %dh6a4 4 0 0 1 0 9h-8", x+2, y+4))
	c.path("turn tip2", fmt.Sprintf("M%d %dl-5 4.5l5 4.5z", x+2, y-0))
}

// leaf describes a step without steps inside.
func (d drawer) leaf(st *playbooks.Step, path string, covered bool) box {
	l := leaf{title: st.ID, bold: wrap(name(st), leafChars-10, 3), status: d.Status[path]}
	id := ""
	if st.Title != "" {
		id = st.ID + " · "
	}
	switch st.Kind {
	case playbooks.KindAction:
		l.class = effectClass(st.Action.Effect)
		l.code = wrap(id+st.Action.Uses, leafChars-4, 2)
		l.small = append(wrap(effectWord(l.class), leafChars, 1), wrap(details(st.Action), leafChars, 3)...)
		if l.class == classUndoable && !covered {
			l.small = append(l.small, wrap(d.policy(), leafChars, 2)...)
		}
	case playbooks.KindAsk:
		l.class, l.code = "ask", wrap("asks "+st.Ask.From, leafChars-8, 1)
		l.small = wrap(question(st.Ask), leafChars-4, 3)
	case playbooks.KindWait:
		l.class, l.small = "wait", []string{"waits " + st.Wait.Short()}
	case playbooks.KindEnd:
		l.class, l.small, l.ends = "end", wrap(endWords(st), leafChars, 3), true
	}
	l.title = strings.Join(append(append(append([]string{st.ID + ":"}, l.bold...), l.code...), l.small...), " ")
	return l.box()
}

func (d drawer) policy() string {
	if len(d.Default) == 0 {
		return "By itself where policy allows, else signed"
	}
	return "By itself where policy allows, else signed by " + seats(d.Default)
}
