package playbooks

import "regexp"

// ruleUnquoted explains the commonest syntax error: inside { } and [ ] YAML reads the braces of ${{ }} as its own.
func (s *sheet) ruleUnquoted(line int) bool {
	inFlow := regexp.MustCompile(`^[^"'#]*[{\[][^"'#]*?(\$\{\{)|[{\[,]\s*\w+:\s*(\$\{\{)`)
	for _, l := range []int{line, line - 1, line + 1} {
		if l < 1 || l > len(s.lines) {
			continue
		}
		m := inFlow.FindStringSubmatchIndex(s.lines[l-1])
		if m == nil {
			continue
		}
		at := max(m[2], m[4])
		col := len([]rune(s.lines[l-1][:at])) + 1
		s.err("unquoted-expression", pos{l, col}, "quote it: { key: \"${{ key }}\" }", "inside { } or [ ] an expression must be quoted")
		return true
	}
	return false
}
