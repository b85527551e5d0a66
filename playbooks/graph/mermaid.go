package graph

import (
	"fmt"
	"strings"

	"github.com/tourniquet-ir/tourniquet/playbooks"
)

// Mermaid draws a program as a Mermaid flowchart. Nodes have names of our own and every text is encoded, so that nothing
// in a playbook is read as Mermaid or as HTML.
func Mermaid(p *playbooks.Program, o Options) []byte {
	m := &mermaid{drawer: drawer{o}}
	m.line("%%%% The playbook %s. A sign-off is the box with double sides.", strings.Map(idOnly, p.ID))
	m.line("flowchart TD")
	start := m.node("start", "Start. "+starts(p))
	exits := []exit{{from: start}}
	if p.NeedsKey {
		exits = m.join(exits, m.node(classObserve, "identify: which key is it? key.identify. "+effectWord(classObserve)))
	}
	exits = m.steps(p.Steps, "", exits, false)
	if len(exits) > 0 {
		m.join(exits, m.node("outcome", "The run ends: contained, if the old key was seen refused"))
	}
	m.aside(p.OnFailure, "If the run failed or was stopped")
	m.aside(p.Finally, "In the end, always")
	m.b.WriteString(m.edges.String())
	for _, c := range [][2]string{
		{"start", "fill:#f6f8fa,stroke:#8c959f,color:#1c2128"}, {"observe", "fill:#ddf4ff,stroke:#0969da,color:#1c2128"},
		{"notify", "fill:#dafbe1,stroke:#1a7f37,color:#1c2128"}, {"undoable", "fill:#fff8c5,stroke:#9a6700,color:#1c2128"},
		{"final", "fill:#ffebe9,stroke:#cf222e,stroke-width:3px,color:#1c2128"}, {"ask", "fill:#f6f8fa,stroke:#8c959f,color:#1c2128"},
		{"gate", "fill:#ffd33d,stroke:#24292f,stroke-width:4px,stroke-dasharray:10 6,color:#1c2128"}, {"outcome", "fill:#24292f,stroke:#24292f,color:#ffffff"},
	} {
		m.line("  classDef %s %s", c[0], c[1])
	}
	return []byte(m.b.String())
}

func idOnly(r rune) rune {
	if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-' {
		return r
	}
	return -1
}

type mermaid struct {
	drawer
	b     strings.Builder
	edges strings.Builder // behind all frames: an edge inside a frame would pull both its ends into it
	n     int
}

// exit is an end of a road that waits for its next step.
type exit struct{ from, label string }

func (m *mermaid) line(format string, args ...any) { fmt.Fprintf(&m.b, format+"\n", args...) }

// encode writes everything but letters, digits and spaces as a numbered entity of Mermaid.
func encode(s string, most int) string {
	var b strings.Builder
	for i, r := range []rune(clean(s)) {
		switch {
		case i >= most:
			b.WriteString("…")
			return b.String()
		case r == ' ' || r == '.' || r == ',' || r == ':' || r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r > 0xa0:
			b.WriteRune(r)
		default:
			fmt.Fprintf(&b, "#%d;", r)
		}
	}
	return b.String()
}

// node writes a node in the shape of its class and gives its name.
func (m *mermaid) node(class, text string) string {
	m.n++
	id := fmt.Sprintf("n%d", m.n)
	shape := map[string][2]string{
		"start": {"([", "])"}, classObserve: {"([", "])"}, classNotify: {">", "]"}, classUndoable: {"[", "]"}, classFinal: {"{{", "}}"},
		"ask": {"[/", "/]"}, "if": {"{", "}"}, "gate": {"[[", "]]"}, "outcome": {"([", "])"}, "wait": {"([", "])"},
	}[class]
	if shape[0] == "" {
		shape = [2]string{"[", "]"}
	}
	m.line("  %s%s\"%s\"%s", id, shape[0], encode(text, 400), shape[1])
	switch class {
	case "if":
	case "wait":
		fmt.Fprintf(&m.edges, "  class %s start\n", id)
	default:
		fmt.Fprintf(&m.edges, "  class %s %s\n", id, class)
	}
	return id
}

// join leads all roads to a node.
func (m *mermaid) join(exits []exit, to string) []exit {
	for _, e := range exits {
		if e.label != "" {
			fmt.Fprintf(&m.edges, "  %s -->|%s| %s\n", e.from, e.label, to)
			continue
		}
		fmt.Fprintf(&m.edges, "  %s --> %s\n", e.from, to)
	}
	return []exit{{from: to}}
}

func (m *mermaid) steps(all []playbooks.Step, path string, exits []exit, covered bool) []exit {
	for i := range all {
		exits = m.step(&all[i], playbooks.JoinPath(path, all[i].ID), exits, covered)
	}
	return exits
}

func (m *mermaid) step(st *playbooks.Step, path string, exits []exit, covered bool) []exit {
	var around []exit
	if st.If != "" {
		d := m.node("if", "if "+st.If)
		m.join(exits, d)
		exits, around = []exit{{d, "yes"}}, []exit{{d, "no"}}
	}
	if st.Signoff != nil {
		exits = m.join(exits, m.node("gate", "SIGN-OFF: "+seats(st.Signoff.Seats)+". "+terms(st.Signoff)))
	}
	covered = covered || st.Signoff != nil
	switch st.Kind {
	case playbooks.KindGroup:
		exits = m.sub(name(st), func() []exit { return m.steps(st.Steps, path, exits, covered) })
	case playbooks.KindLoop:
		exits = m.sub(loopHead(st), func() []exit { return m.steps(st.Steps, path, exits, covered) })
	case playbooks.KindPlaybook:
		exits = m.sub("Playbook: "+name(st), func() []exit {
			if st.Sub == nil {
				return m.join(exits, m.node("start", st.ID))
			}
			out := m.steps(st.Sub.Steps, path, exits, covered)
			return m.steps(st.Sub.Finally, path, out, covered)
		})
	case playbooks.KindParallel:
		exits = m.sub("At the same time: "+name(st), func() []exit {
			var out []exit
			for i := range st.Steps {
				out = append(out, m.step(&st.Steps[i], playbooks.JoinPath(path, st.Steps[i].ID), exits, covered)...)
			}
			return out
		})
	default:
		class, text := m.leafText(st, covered)
		exits = m.join(exits, m.node(class, text+mark(m.Status[path])))
		if st.Kind == playbooks.KindEnd {
			exits = nil
		}
	}
	return append(exits, around...)
}

func mark(status string) string {
	if statusClass(status) == "" {
		return ""
	}
	return ". Status: " + status
}

func (m *mermaid) leafText(st *playbooks.Step, covered bool) (class, text string) {
	head := st.ID + ": "
	if st.Title != "" {
		head += sentence(st.Title)
	}
	switch st.Kind {
	case playbooks.KindAction:
		class = effectClass(st.Action.Effect)
		text = head + st.Action.Uses + ". " + effectWord(class)
		if class == classUndoable && !covered {
			text += ". " + m.policy()
		}
		if more := details(st.Action); more != "" {
			text += ". " + more
		}
		return class, text
	case playbooks.KindAsk:
		return "ask", head + "asks " + st.Ask.From + ": " + question(st.Ask)
	case playbooks.KindWait:
		return "wait", head + "waits " + st.Wait.Short()
	}
	return "outcome", head + endWords(st)
}

// sub puts what is drawn meanwhile into a frame.
func (m *mermaid) sub(label string, draw func() []exit) []exit {
	m.n++
	m.line("  subgraph n%d[\"%s\"]", m.n, encode(label, 200))
	exits := draw()
	m.line("  end")
	return exits
}

func (m *mermaid) aside(all []playbooks.Step, label string) {
	if len(all) > 0 {
		m.sub(label, func() []exit { return m.steps(all, "", nil, false) })
	}
}
