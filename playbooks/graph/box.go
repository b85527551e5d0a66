package graph

import "fmt"

// Measures, in pixels.
const (
	leafWidth  = 300
	leafChars  = 42 // that fit into a leaf
	lineHeight = 16
	gap        = 30 // between two steps: the length of an arrow
	side       = 24 // between branches
	pad        = 16 // inside a frame
	lane       = 26 // beside a conditional step: the way around it
	glyph      = 7  // width of a letter
)

// box is a part of the picture that knows its size. The road enters at the middle of its top and leaves at the middle of
// its bottom, unless it ends there.
type box struct {
	w, h int
	dip  int // how far above the bottom its shape ends in the middle
	ends bool
	draw func(c *canvas, x, y int)
}

// stack puts boxes below each other with arrows between them.
func stack(boxes []box) box {
	out := box{}
	for i, b := range boxes {
		out.w = max(out.w, b.w)
		if out.h += b.h; i > 0 {
			out.h += gap
		}
	}
	if n := len(boxes); n > 0 {
		out.ends, out.dip = boxes[n-1].ends, boxes[n-1].dip
	}
	out.draw = func(c *canvas, x, y int) {
		for i, b := range boxes {
			if i > 0 {
				if !boxes[i-1].ends {
					c.arrow(x+out.w/2, y-boxes[i-1].dip, y+gap)
				}
				y += gap
			}
			b.draw(c, x+(out.w-b.w)/2, y)
			y += b.h
		}
	}
	return out
}

// fork puts boxes beside each other between two bars: all of them run at the same time.
func fork(boxes []box) box {
	const bar = 6
	out := box{}
	tall := 0
	for i, b := range boxes {
		if out.w += b.w; i > 0 {
			out.w += side
		}
		tall = max(tall, b.h)
	}
	out.h = tall + 2*bar + 2*gap
	out.draw = func(c *canvas, x, y int) {
		top, bottom := y, y+out.h-bar
		c.rect("bar", x, top, out.w, bar, 2)
		for _, b := range boxes {
			middle := x + b.w/2
			c.arrow(middle, top+bar, top+bar+gap)
			b.draw(c, x, top+bar+gap)
			if !b.ends {
				c.arrow(middle, top+bar+gap+b.h-b.dip, bottom)
			}
			x += b.w + side
		}
		c.rect("bar", x-side-out.w, bottom, out.w, bar, 2)
	}
	return out
}

// conditional puts a diamond before a box and a way around it.
func conditional(cond string, inner box) box {
	lines := wrap("if "+cond, leafChars+4, 3)
	high := len(lines)*lineHeight + 22
	out := box{w: max(inner.w, leafWidth+60) + 2*lane, h: high + gap + inner.h + gap}
	out.draw = func(c *canvas, x, y int) {
		middle, left, right := x+out.w/2, x+lane, x+out.w-lane
		c.open("if", "if "+cond)
		c.path("if", fmt.Sprintf("M%d %dL%d %dH%dL%d %dL%d %dH%dz", left, y+high/2, left+18, y, right-18, right, y+high/2, right-18, y+high, left+18))
		c.words("code", middle, y+high/2-len(lines)*lineHeight/2+12, lines)
		c.close()
		c.arrow(middle, y+high, y+high+gap)
		c.add(`<text class="small" x="%d" y="%d">yes</text>`, middle+8, y+high+gap/2+3)
		inner.draw(c, middle-inner.w/2, y+high+gap)
		end := y + high + gap + inner.h
		if !inner.ends {
			c.line(middle, end-inner.dip, middle, y+out.h)
		}
		c.path("way around", fmt.Sprintf("M%d %dH%dV%dH%d", left, y+high/2, x+8, end+gap/2, middle))
		if inner.ends {
			c.line(middle, end+gap/2, middle, y+out.h)
		}
		c.add(`<text class="small" x="%d" y="%d">no</text>`, x+12, y+high/2-5)
	}
	return out
}

// frame puts a labelled frame around a box.
func frame(class, label string, inner box) box {
	chars := max((inner.w+2*pad-20)/glyph, leafChars)
	lines := wrap(label, chars, 2)
	head := len(lines)*lineHeight + 14
	out := box{w: max(inner.w+2*pad, leafWidth), h: head + gap + inner.h + pad, ends: inner.ends}
	if !inner.ends {
		out.h += gap - pad
	}
	out.draw = func(c *canvas, x, y int) {
		middle := x + out.w/2
		c.open("frame "+class, label)
		c.rect("frame "+class, x, y, out.w, out.h, 8)
		if class == "sub" { // two lines at each side, as a part that was prepared elsewhere
			c.line(x+6, y, x+6, y+out.h)
			c.line(x+out.w-6, y, x+out.w-6, y+out.h)
		}
		c.words("label", middle, y+18, lines)
		c.close()
		c.arrow(middle, y+head, y+head+gap)
		inner.draw(c, middle-inner.w/2, y+head+gap)
		if !inner.ends {
			c.line(middle, y+head+gap+inner.h-inner.dip, middle, y+out.h)
		}
	}
	return out
}
