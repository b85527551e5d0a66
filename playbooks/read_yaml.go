package playbooks

import (
	"bytes"
	"errors"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// MaxFile is how many bytes a playbook may have.
const MaxFile = 256 << 10

// The fixed budget of one file.
const (
	maxInlined = 1 << 20 // bytes of all sub-playbooks, counted as often as they are called
	maxDepth   = 40
	maxSteps   = 500
	maxSubs    = 8
	maxLine    = 4096 // bytes of one line
)

// readYAML parses one document and refuses what could hide something from a reader. It is nil when the file
// cannot be read further.
func (s *sheet) readYAML() *yaml.Node {
	if len(s.src) > MaxFile {
		s.err("budget", pos{1, 1}, "split it with sub-playbooks", "the file has %d bytes; at most %d are read", len(s.src), MaxFile)
		return nil
	}
	if !utf8.Valid(s.src) || bytes.IndexByte(s.src, 0) >= 0 {
		s.err("syntax", pos{1, 1}, "save it as UTF-8", "the file is not UTF-8 text")
		return nil
	}
	if s.ruleHiddenCharacters(); len(s.faults) > 0 || s.tooDeep() {
		return nil
	}
	dec := yaml.NewDecoder(bytes.NewReader(s.src))
	var doc, second yaml.Node
	if err := dec.Decode(&doc); err != nil {
		if errors.Is(err, io.EOF) {
			s.err("syntax", pos{1, 1}, "start with: schema: tourniquet/v1", "the file is empty")
			return nil
		}
		s.syntax(err)
		return nil
	}
	if err := dec.Decode(&second); err == nil {
		s.err("yaml-feature", place(&second), "one playbook per file", "a second document is refused")
		return nil
	} else if !errors.Is(err, io.EOF) {
		s.syntax(err)
		return nil
	}
	if len(doc.Content) != 1 || !s.plainNodes(doc.Content[0], 0) {
		return nil
	}
	return doc.Content[0]
}

// tooDeep refuses long lines and runs of brackets before the parser recurses into them.
func (s *sheet) tooDeep() bool {
	for i, line := range s.lines {
		if len(line) > maxLine {
			s.err("budget", pos{i + 1, 1}, "break the line", "the line has %d bytes; at most %d are read", len(line), maxLine)
			return true
		}
		depth := 0
		for _, r := range line {
			switch r {
			case '[', '{':
				depth++
			case ']', '}':
				depth--
			}
			if depth > maxDepth {
				s.err("budget", pos{i + 1, 1}, "", "more than %d brackets are open", maxDepth)
				return true
			}
		}
		if strings.Count(line, "- ") > 2*maxDepth || strings.Count(line, "? ") > 2*maxDepth {
			s.err("budget", pos{i + 1, 1}, "", "the line nests more than %d levels", maxDepth)
			return true
		}
	}
	return false
}

// plainNodes walks the whole tree for anchors, aliases, tags, merges and depth.
func (s *sheet) plainNodes(n *yaml.Node, depth int) bool {
	if depth > maxDepth {
		s.err("budget", place(n), "split it with sub-playbooks", "the file nests more than %d levels", maxDepth)
		return false
	}
	if !s.ruleYAMLFeature(n) {
		return true // said once, and nothing below an alias is followed
	}
	for _, c := range n.Content {
		if !s.plainNodes(c, depth+1) {
			return false
		}
	}
	return true
}

// syntax reports what the parser refused, at its line.
func (s *sheet) syntax(err error) {
	line := 1
	msg := strings.TrimPrefix(err.Error(), "yaml: ")
	if m := regexp.MustCompile(`line (\d+): `).FindStringSubmatch(msg); m != nil {
		line, _ = strconv.Atoi(m[1])
		msg = strings.Replace(msg, m[0], "", 1)
	}
	if s.ruleUnquoted(line) {
		return
	}
	s.err("syntax", pos{min(max(line, 1), len(s.lines)), 1}, "", "this is not YAML: %s", crop(msg))
}
