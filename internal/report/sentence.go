package report

import (
	"encoding/json"
	"fmt"
	"html"
	"html/template"
	"strings"
)

// Sentence is our own words with other people's words in them, so that each format can keep the second kind in its place.
type Sentence struct{ parts []part }

type part struct {
	text    string
	foreign bool
}

// tell makes a sentence. Every argument counts as foreign; format holds %s alone.
func tell(format string, args ...any) Sentence {
	var s Sentence
	own := strings.Split(format, "%s")
	for i, text := range own {
		s.parts = append(s.parts, part{text, false})
		if i < len(args) && i < len(own)-1 {
			s.parts = append(s.parts, part{fmt.Sprint(args[i]), true})
		}
	}
	return s
}

// String is the sentence as plain text.
func (s Sentence) String() string {
	return s.each(func(p part) string { return p.text })
}

// Markdown keeps foreign words in code spans.
func (s Sentence) Markdown() string {
	return s.each(func(p part) string {
		if p.foreign {
			return code(p.text)
		}
		return p.text
	})
}

// HTML escapes all of it.
func (s Sentence) HTML() template.HTML {
	return template.HTML(s.each(func(p part) string { //nolint:gosec // every part is escaped here
		if p.foreign {
			return "<code>" + html.EscapeString(p.text) + "</code>"
		}
		return html.EscapeString(p.text)
	}))
}

func (s Sentence) each(write func(part) string) string {
	var b strings.Builder
	for _, p := range s.parts {
		b.WriteString(write(p))
	}
	return b.String()
}

// MarshalJSON writes plain text.
func (s Sentence) MarshalJSON() ([]byte, error) { return json.Marshal(s.String()) }

// UnmarshalJSON reads it back as foreign text: who wrote which word is not told.
func (s *Sentence) UnmarshalJSON(raw []byte) error {
	var text string
	if err := json.Unmarshal(raw, &text); err != nil {
		return err
	}
	s.parts = []part{{text, true}}
	return nil
}
