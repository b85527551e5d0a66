package playbooks_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/signoff"
	"github.com/tourniquet-ir/tourniquet/playbooks"
	"github.com/tourniquet-ir/tourniquet/playbooks/graph"
)

// feed makes a program out of any bytes: steps of every kind, with texts that no compiler has looked at.
type feed struct {
	b     []byte
	steps int
}

func (f *feed) byte() int {
	if len(f.b) == 0 {
		return 0
	}
	c := f.b[0]
	f.b = f.b[1:]
	return int(c)
}

func (f *feed) text() string {
	n := min(f.byte(), len(f.b))
	s := f.b[:n]
	f.b = f.b[n:]
	return string(s)
}

func (f *feed) list(depth int) []playbooks.Step {
	var out []playbooks.Step
	for n := f.byte() % 5; n >= 0 && len(f.b) > 0 && f.steps < 300; n-- {
		out = append(out, f.step(depth))
	}
	return out
}

func (f *feed) step(depth int) playbooks.Step {
	f.steps++
	kinds := []string{
		playbooks.KindAction, playbooks.KindAsk, playbooks.KindWait, playbooks.KindEnd, playbooks.KindGroup, playbooks.KindParallel,
		playbooks.KindLoop, playbooks.KindPlaybook,
	}
	flags := f.byte()
	st := playbooks.Step{ID: f.text(), Kind: kinds[f.byte()%len(kinds)]}
	if depth == 0 && st.Kind != playbooks.KindAsk && st.Kind != playbooks.KindWait && st.Kind != playbooks.KindEnd {
		st.Kind = playbooks.KindAction
	}
	if flags&1 != 0 {
		st.Title = f.text()
	}
	if flags&2 != 0 {
		st.If = f.text()
	}
	if flags&4 != 0 {
		st.Signoff = &playbooks.Signoff{Otherwise: f.text(), Within: playbooks.Dur(f.byte()) * playbooks.Dur(time.Minute)}
		for n := f.byte() % 4; n > 0; n-- {
			st.Signoff.Seats = append(st.Signoff.Seats, signoff.Seat{Group: f.text(), Count: f.byte(), Else: f.text()})
		}
		st.Signoff.Escalate = []playbooks.Escalation{{To: f.text(), AfterUSD: int64(f.byte())}}
	}
	switch st.Kind {
	case playbooks.KindAction:
		st.Action = &playbooks.Action{Uses: f.text(), Effect: []string{"observe", "notify", "undoable", "final", f.text()}[f.byte()%5], Until: f.text(), OnError: f.text()}
	case playbooks.KindAsk:
		st.Ask = &playbooks.Ask{From: f.text(), Choices: []string{f.text(), f.text()}, Otherwise: f.text()}
	case playbooks.KindWait:
		st.Wait = playbooks.Dur(f.byte()) * playbooks.Dur(time.Second)
	case playbooks.KindEnd:
		st.End = f.text()
	case playbooks.KindPlaybook:
		if flags&8 != 0 {
			st.Sub = &playbooks.Program{ID: f.text(), Steps: f.list(depth - 1), OnFailure: f.list(depth - 1), Finally: f.list(depth - 1)}
		}
	default:
		st.Loop = &playbooks.Loop{As: f.text(), Over: playbooks.Value{Kind: playbooks.ValueExpr, Expr: f.text()}, AtOnce: f.byte()}
		st.Steps = f.list(depth - 1)
	}
	return st
}

// FuzzGraph draws the playbook that the bytes are, where they are one, and a program that is made of them: the picture is
// XML without anything that acts, and not larger than the program deserves.
func FuzzGraph(f *testing.F) {
	seeds(f)
	w := world()
	f.Fuzz(func(t *testing.T, src []byte) {
		start := time.Now()
		if p, _ := playbooks.Compile("x.yaml", src, w); p != nil {
			drawn(t, p, graph.Options{}, len(src))
		}
		in := &feed{b: src}
		p := &playbooks.Program{ID: in.text(), Title: in.text(), Trigger: in.text(), NeedsKey: true, Steps: in.list(6), OnFailure: in.list(2), Finally: in.list(2)}
		drawn(t, p, graph.Options{Status: map[string]string{in.text(): in.text()}, Default: []signoff.Seat{{Group: in.text(), Count: 1}}}, len(src))
		if took := time.Since(start); took > 5*time.Second {
			t.Fatalf("%d bytes took %s", len(src), took)
		}
	})
}

func drawn(t *testing.T, p *playbooks.Program, o graph.Options, size int) {
	t.Helper()
	svg := graph.SVG(p, o)
	onlyDrawn(t, svg)
	if len(svg) > 20_000+2000*size {
		t.Fatalf("%d bytes make a picture of %d", size, len(svg))
	}
	for _, line := range strings.Split(string(graph.Mermaid(p, o)), "\n") {
		if strings.Count(line, `"`)%2 != 0 || strings.Contains(line, "<") {
			t.Fatalf("a text breaks out of its node: %q", line)
		}
	}
}

// onlyDrawn refuses broken XML and elements that act or load.
func onlyDrawn(t *testing.T, svg []byte) {
	t.Helper()
	known := map[string]bool{"svg": true, "g": true, "title": true, "desc": true, "style": true, "defs": true, "pattern": true, "rect": true, "path": true, "text": true, "circle": true}
	d := xml.NewDecoder(bytes.NewReader(svg))
	for {
		tok, err := d.Token()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatalf("the picture is no XML: %v", err)
		}
		if x, ok := tok.(xml.StartElement); ok && !known[x.Name.Local] {
			t.Fatalf("the picture holds <%s>", x.Name.Local)
		}
	}
}
