package graph

import "fmt"

// gate puts a sign-off before a box: a striped bar across the road with those who sign, on a frame around what they sign.
func gate(who, conditions string, inner box) box {
	const stripe = 10
	w := max(inner.w+2*pad, leafWidth+2*pad)
	chars := (w - 2*pad) / glyph
	first := wrap("SIGN-OFF: "+who, chars-8, 3)
	second := wrap(conditions, chars, 3)
	head := 2*stripe + (len(first)+len(second))*lineHeight + 16
	out := box{w: w, h: head + gap + inner.h + pad, ends: inner.ends}
	if !inner.ends {
		out.h += gap - pad
	}
	out.draw = func(c *canvas, x, y int) {
		middle := x + out.w/2
		c.open("gate", "Sign-off by "+who+"; "+conditions)
		c.rect("signed", x, y+head/2, out.w, out.h-head/2, 8)
		c.rect("gate", x, y, out.w, head, 4)
		c.rect("stripes", x, y, out.w, stripe, 3)
		c.rect("stripes", x, y+head-stripe, out.w, stripe, 3)
		next := c.words("who", middle, y+stripe+22, first)
		lock(c, x+14, y+stripe+9)
		c.words("terms", middle, next, second)
		c.close()
		c.arrow(middle, y+head, y+head+gap)
		inner.draw(c, middle-inner.w/2, y+head+gap)
		if !inner.ends {
			c.line(middle, y+head+gap+inner.h-inner.dip, middle, y+out.h)
		}
	}
	return out
}

// lock is a padlock of 14 by 16.
func lock(c *canvas, x, y int) {
	c.path("shackle", fmt.Sprintf("M%d %dv-3a4 4 0 0 1 8 0v3", x+3, y+7))
	c.rect("lock", x, y+7, 14, 9, 2)
}
