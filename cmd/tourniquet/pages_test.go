package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// What the operator's pages tell to type is there: a command that is only planned has no place in them.
func TestTheCommandsOfTheOperatorsPagesExist(t *testing.T) {
	t.Parallel()
	told := regexp.MustCompile("(?m)(?:^|`)tourniquet ((?:--config \\S+ )?[a-z][a-z -]*)")
	for _, page := range []string{"operate.md", "compose.md"} {
		body, err := os.ReadFile(filepath.Join("../../docs", page))
		if err != nil {
			t.Fatal(err)
		}
		all := told.FindAllStringSubmatch(string(body), -1)
		if len(all) == 0 {
			t.Errorf("%s names no command, so this test sees none", page)
		}
		for _, m := range all {
			words := strings.Fields(m[1])
			if len(words) > 2 && words[0] == "--config" {
				words = words[2:]
			}
			sh := &shell{Env: func(string) (string, bool) { return "", false }}
			c, rest, err := sh.root().Find(words)
			if err != nil || c.HasSubCommands() || len(rest) > 0 && !strings.HasPrefix(rest[0], "-") && c.Args != nil && c.Args(c, rest) != nil {
				t.Errorf("%s tells to type %q: %v", page, m[0], err)
			}
		}
	}
}
