package graph_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tourniquet-ir/tourniquet/activities"
	"github.com/tourniquet-ir/tourniquet/internal/diag"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
	"github.com/tourniquet-ir/tourniquet/playbooks"
	"github.com/tourniquet-ir/tourniquet/playbooks/graph"
)

var update = flag.Bool("update", false, "write the pictures anew")

// shipped are the playbooks of the library, compiled with the real cards.
func shipped(t testing.TB) map[string]*playbooks.Program {
	t.Helper()
	files, err := fs.Glob(playbooks.Library, "library/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no library: %v", err)
	}
	sources := map[string][]byte{}
	for _, f := range files {
		if strings.HasSuffix(f, "_test.yaml") {
			continue
		}
		if sources[strings.TrimSuffix(filepath.Base(f), ".yaml")], err = playbooks.Library.ReadFile(f); err != nil {
			t.Fatal(err)
		}
	}
	out := map[string]*playbooks.Program{}
	for id, src := range sources {
		out[id] = compile(t, src, sources)
	}
	return out
}

func compile(t testing.TB, src []byte, library map[string][]byte) *playbooks.Program {
	t.Helper()
	w := playbooks.World{Actions: activities.Catalog(), Groups: map[string]int{"secops": 5, "secops_lead": 2}, Playbooks: library}
	p, faults := playbooks.Compile("p.yaml", src, w)
	if p == nil {
		t.Fatal(diag.Text(src, faults))
	}
	return p
}

func TestTheLibraryIsDrawnInTheDocs(t *testing.T) {
	t.Parallel()
	for id, p := range shipped(t) {
		got, file := graph.SVG(p, graph.Options{}), "../../docs/playbooks/"+id+".svg"
		if *update {
			if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, got, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if want, err := os.ReadFile(file); err != nil || !bytes.Equal(want, got) {
			t.Errorf("%s is not drawn as the code draws it (%v): look at it and refresh it with -update", file, err)
		}
	}
}

// read walks the whole of a picture and gives its text; broken XML fails.
func read(t testing.TB, svg []byte) string {
	t.Helper()
	var text strings.Builder
	d := xml.NewDecoder(bytes.NewReader(svg))
	for {
		tok, err := d.Token()
		if errors.Is(err, io.EOF) {
			return text.String()
		}
		if err != nil {
			t.Fatalf("the picture is no XML: %v", err)
		}
		switch x := tok.(type) {
		case xml.CharData:
			text.Write(x)
		case xml.StartElement:
			switch x.Name.Local {
			case "script", "a", "foreignObject", "image", "use":
				t.Fatalf("the picture holds <%s>", x.Name.Local)
			}
			for _, a := range x.Attr {
				if strings.HasPrefix(a.Name.Local, "on") || strings.Contains(a.Name.Local, "href") {
					t.Fatalf("the picture has the attribute %s", a.Name.Local)
				}
			}
		}
	}
}

func TestAPictureShowsEveryStepItsEffectAndWhoSigns(t *testing.T) {
	t.Parallel()
	for id, p := range shipped(t) {
		for format, got := range map[string]string{"svg": read(t, graph.SVG(p, graph.Options{})), "mermaid": string(graph.Mermaid(p, graph.Options{}))} {
			for place := range playbooks.Steps(p) {
				st := place.Step
				want := st.ID
				if st.Action == nil && st.Ask == nil && st.End == "" {
					continue // a frame has its title
				}
				if !strings.Contains(got, want) {
					t.Errorf("%s as %s: the step %s is missing", id, format, want)
				}
			}
		}
		svg := string(graph.SVG(p, graph.Options{}))
		gates, finals := strings.Count(svg, `<g class="gate"><title>Sign-off by`), strings.Count(svg, `<g class="step final"><title>`)
		signed, final := 0, 0
		for place := range playbooks.Steps(p) {
			if place.Step.Signoff != nil {
				signed++
			}
			if a := place.Step.Action; a != nil && a.Effect == signoff.EffectFinal {
				final++
			}
		}
		if gates != signed || finals != final+1 { // one is in the legend
			t.Errorf("%s: %d gates for %d sign-offs, %d octagons for %d final steps", id, gates, signed, finals, final)
		}
	}
}

const hostile = `schema: tourniquet/v1
id: p
title: "</text><script>alert(1)</script> & \"quoted\" \u202e\x07 ]]> <!--"
steps:
  - id: a
    title: "\"]; click n1 href \"javascript:alert(1)\" %% #quot; <img src=x onerror=y> | }} \n end"
    uses: incident.update
    with: { text: x }
  - id: b
    if: key.id == "<b>&amp;</b>\"' -->"
    wait: 1m
  - id: c
    title: "名前がとても長い段落です名前がとても長い段落です名前がとても長い段落です名前がとても長い段落です ____________________________________________________________________________________________________"
    ask: { from: secops, prompt: x, choices: ["<svg onload=x>", "b & c"], within: 1h, otherwise: "b & c" }
`

func TestHostileTextsAreOnlyText(t *testing.T) {
	t.Parallel()
	p := compile(t, []byte(hostile), nil)
	svg := graph.SVG(p, graph.Options{Status: map[string]string{"a": `"><script>`}})
	text := read(t, svg)
	if !strings.Contains(text, "</text><script>alert(1)</script>") || strings.ContainsAny(text, "\u202e\x07") {
		t.Errorf("the title is drawn as %.200q", text)
	}
	mermaid := string(graph.Mermaid(p, graph.Options{Status: map[string]string{"a": "\"]"}}))
	for _, line := range strings.Split(mermaid, "\n") {
		if strings.Count(line, `"`)%2 != 0 || strings.Contains(line, "<img") || strings.Contains(line, "click n1 href \"") {
			t.Errorf("a text breaks out of its node: %s", line)
		}
	}
}

func TestAPictureIsTheSameEveryTime(t *testing.T) {
	t.Parallel()
	p := shipped(t)["llmjacking"]
	o := graph.Options{Status: map[string]string{"sessions": "done", "triage": "waiting"}}
	if !bytes.Equal(graph.SVG(p, o), graph.SVG(p, o)) || !bytes.Equal(graph.Mermaid(p, o), graph.Mermaid(p, o)) {
		t.Error("two pictures of one playbook differ")
	}
}

func TestTheStatusOfARunIsDrawn(t *testing.T) {
	t.Parallel()
	p := shipped(t)["llmjacking"]
	plain := string(graph.SVG(p, graph.Options{Bare: true}))
	got := string(graph.SVG(p, graph.Options{Bare: true, Status: map[string]string{"sessions": "done", "triage": "waiting", "first_minute/usage": "failed"}}))
	for _, want := range []string{`class="step undoable is-done"`, `class="step ask is-waiting"`, `class="step observe is-failed"`} {
		if !strings.Contains(got, want) || strings.Contains(plain, want) {
			t.Errorf("%s is not drawn, or always", want)
		}
	}
	if strings.Contains(got, "<style>") {
		t.Error("a bare picture brings its own style")
	}
}

func TestPolicysDefaultSignoffIsDrawnWhereItCouldBeAsked(t *testing.T) {
	t.Parallel()
	got := read(t, graph.SVG(shipped(t)["llmjacking"], graph.Options{Default: []signoff.Seat{{Group: "night_watch", Count: 3}}}))
	if !strings.Contains(got, "3 of night_watch") {
		t.Error("nobody is named for what policy does not automate")
	}
}
