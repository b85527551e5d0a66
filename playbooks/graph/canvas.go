package graph

import (
	"encoding/xml"
	"fmt"
	"strings"
)

// canvas collects SVG.
type canvas struct{ b strings.Builder }

func escape(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(clean(s))) // into memory
	return b.String()
}

func (c *canvas) add(format string, args ...any) { fmt.Fprintf(&c.b, format+"\n", args...) }

func (c *canvas) rect(class string, x, y, w, h, round int) {
	c.add(`<rect class="%s" x="%d" y="%d" width="%d" height="%d" rx="%d"/>`, class, x, y, w, h, round)
}

func (c *canvas) path(class, d string) { c.add(`<path class="%s" d="%s"/>`, class, d) }

// line is a line without an arrow.
func (c *canvas) line(x1, y1, x2, y2 int) {
	c.add(`<path class="way" d="M%d %dL%d %d"/>`, x1, y1, x2, y2)
}

// arrow goes straight down.
func (c *canvas) arrow(x, y1, y2 int) {
	c.line(x, y1, x, y2-6)
	c.path("tip", fmt.Sprintf("M%d %dl-5 -9h10z", x, y2))
}

// words writes lines of text in the middle of x.
func (c *canvas) words(class string, x, y int, lines []string) int {
	for _, l := range lines {
		c.add(`<text class="%s" x="%d" y="%d" text-anchor="middle">%s</text>`, class, x, y, escape(l))
		y += lineHeight
	}
	return y
}

// open and close hold the parts of one step together, with its whole name for pointers and screen readers.
func (c *canvas) open(class, title string) {
	c.add(`<g class="%s"><title>%s</title>`, class, escape(title))
}

func (c *canvas) close() { c.add("</g>") }
