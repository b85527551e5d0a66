package graph

// statusClass is the class of a status; one that is not known is as none.
func statusClass(status string) string {
	switch status {
	case "done", "running", "waiting", "skipped", "declined", "failed", "stopped":
		return " is-" + status
	}
	return ""
}

// badge says what became of a step, by sign and by colour, at its upper right corner.
func badge(c *canvas, status string, x, y int) {
	sign := map[string]string{
		"done": "✓", "running": "▶", "waiting": "…", "skipped": "↷", "declined": "–", "failed": "✕", "stopped": "■",
	}[status]
	if sign == "" {
		return
	}
	c.add(`<circle class="badge" cx="%d" cy="%d" r="11"/>`, x, y+4)
	c.add(`<text class="badge" x="%d" y="%d" text-anchor="middle">%s</text>`, x, y+9, sign)
}

// legend says what the shapes mean.
func legend(status bool) box {
	const each = 148
	classes := []string{classObserve, classNotify, classUndoable, classFinal}
	words := []string{"looks", "tells people", "can be undone", "cannot be undone"}
	out := box{w: each*len(classes) + each, h: 44}
	if status {
		out.h += 22
	}
	out.draw = func(c *canvas, x, y int) {
		c.add(`<g class="legend">`)
		for i, class := range classes {
			c.open("step "+class, words[i])
			h := 30
			if class == classNotify {
				h = 36
			}
			c.path("shape", outline(class, x, y, each-14, h))
			c.words("small", x+(each-14)/2, y+20, []string{words[i]})
			if class == classUndoable {
				turn(c, x+12, y+10)
			}
			c.close()
			x += each
		}
		c.open("gate", "a sign-off")
		c.rect("gate", x, y, each-14, 32, 4)
		c.rect("stripes", x, y, each-14, 6, 3)
		c.rect("stripes", x, y+26, each-14, 6, 3)
		c.words("small", x+(each-14)/2, y+20, []string{"people sign first"})
		c.close()
		if status {
			c.add(`<text class="small" x="%d" y="%d" text-anchor="end">%s</text>`, x+each-14, y+60, "✓ done  ▶ running  … waits for people  ↷ skipped  – declined  ✕ failed  ■ stopped")
		}
		c.add("</g>")
	}
	return out
}
