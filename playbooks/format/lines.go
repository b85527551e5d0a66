package format

import (
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// margin is the indentation of a line.
func margin(l string) int { return len(l) - len(strings.TrimLeft(l, " ")) }

// behind is what stands in a line behind so many characters.
func behind(l string, n int) string {
	r := []rune(l)
	return string(r[min(max(n, 0), len(r)):])
}

// trimmed are lines without their indentation; "" for blank ones.
func trimmed(lines []string) []string {
	var out []string
	for _, l := range lines {
		out = append(out, strings.TrimSpace(l))
	}
	return out
}

// without is how many lines are left when blank ones and comments at the end are left out.
func without(lines []string) int {
	n := len(lines)
	for n > 0 {
		if l := strings.TrimSpace(lines[n-1]); l != "" && l[0] != '#' {
			break
		}
		n--
	}
	return n
}

// oneSpace writes "key: value" with one space behind the colon. A comment there keeps its distance.
func oneSpace(text string, k *yaml.Node) string {
	if k.Style != 0 || !strings.HasPrefix(text, k.Value) {
		return text
	}
	rest, ok := strings.CutPrefix(text[len(k.Value):], ":")
	value := strings.TrimLeft(rest, " ")
	if !ok || value == "" || value[0] == '#' {
		return text
	}
	return k.Value + ": " + value
}

// scalarEnd is how many lines a literal or folded text takes: own[at] is its header, and its lines are indented more than
// the block in which it stands.
func scalarEnd(own []string, at, parent int, signs string) int {
	end, indent := at+1, -1
	for i := at + 1; i < len(own); i++ {
		if strings.Trim(own[i], " ") == "" {
			continue
		}
		if indent < 0 {
			indent = margin(own[i])
			if indent <= parent {
				break
			}
		}
		if margin(own[i]) < indent {
			break
		}
		end = i + 1
	}
	if strings.Contains(signs, "+") { // blank lines at the end are kept: they are part of the text
		for end < len(own) && strings.Trim(own[end], " ") == "" {
			end++
		}
	}
	return end
}

// signs are those behind the | or > of a literal or folded text.
func signs(header string, v *yaml.Node) string {
	out, _, _ := strings.Cut(behind(header, v.Column-1), " ")
	return out
}

// quotedEnd is the line, counted from 1, in which a quoted text ends.
func quotedEnd(lines []string, v *yaml.Node) int {
	quote := byte('\'')
	if v.Style&yaml.DoubleQuotedStyle != 0 {
		quote = '"'
	}
	for l := v.Line; l <= len(lines); l++ {
		text, from := lines[l-1], 0
		if l == v.Line {
			for i := 1; i < v.Column+1 && from < len(text); i++ { // behind the quote
				_, size := utf8.DecodeRuneInString(text[from:])
				from += size
			}
		}
		for i := from; i < len(text); i++ {
			switch {
			case quote == '"' && text[i] == '\\':
				i++
			case text[i] != quote:
			case quote == '\'' && i+1 < len(text) && text[i+1] == '\'':
				i++
			default:
				return l
			}
		}
	}
	return len(lines)
}
