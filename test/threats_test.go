package test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// named are all tests, and all attempts of test/bypass, of the whole house.
func named(t *testing.T) map[string]bool {
	t.Helper()
	out := map[string]bool{}
	tests, attempts := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(\w+ \*testing\.[TF]\)`), regexp.MustCompile(`name: "([^"]+)"`)
	err := filepath.WalkDir("..", func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || !strings.HasSuffix(path, ".go") {
			return err
		}
		raw, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if strings.HasSuffix(path, "_test.go") {
			for _, m := range tests.FindAllStringSubmatch(string(raw), -1) {
				out[m[1]] = true
			}
		}
		if dir, file := filepath.Split(path); filepath.Clean(dir) == filepath.Join("..", "test", "bypass") && strings.HasPrefix(file, "attempts_") {
			for _, m := range attempts.FindAllStringSubmatch(string(raw), -1) {
				out["bypass: "+m[1]] = true
			}
			for _, m := range regexp.MustCompile(`(?:http|outside)\("([^"]+)"`).FindAllStringSubmatch(string(raw), -1) {
				out["bypass: "+m[1]] = true
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestEveryThreatNamesATestThatExists(t *testing.T) {
	t.Parallel()
	have, threats := named(t), 0
	sections := strings.Split(read(t, "../docs/threats.md"), "\n## ")
	last := sections[len(sections)-1]
	if !strings.HasPrefix(last, "What is not stopped") || strings.Count(last, "\n- ") < 5 {
		t.Error("the page does not end with what is not stopped")
	}
	for _, section := range sections[2 : len(sections)-1] { // before them: the introduction, and what is protected
		for line := range strings.SplitSeq(section, "\n") {
			cells := strings.Split(strings.Trim(line, "| "), " | ")
			if !strings.HasPrefix(line, "| ") || cells[0] == "threat" {
				continue
			}
			threats++
			shown := ticked.FindAllStringSubmatch(cells[len(cells)-1], -1)
			if len(cells) != 3 || len(shown) == 0 {
				t.Errorf("no test shows what is said here: %s", line)
			}
			for _, m := range shown {
				if !have[m[1]] {
					t.Errorf("%q does not exist, which is to show what is said here: %s", m[1], cells[0])
				}
			}
		}
	}
	if threats < 50 {
		t.Errorf("only %d threats were found: the test looks at the wrong place", threats)
	}
}
