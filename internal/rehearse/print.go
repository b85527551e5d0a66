package rehearse

import (
	"encoding/xml"
	"fmt"
	"io"
	"path"
	"strings"
	"time"
	"unicode"
)

// Text tells reports as people read them: a line per file, what differed, and what no test reached.
func Text(reports []Report) string {
	var b strings.Builder
	for _, r := range reports {
		word := "ok  "
		if !r.OK() {
			word = "FAIL"
		}
		fmt.Fprintf(&b, "%s  %s: %s, %s (%.1f s)\n", word, clean(r.File), tests(r), r.Coverage, r.Seconds)
		for _, t := range r.Tests {
			if t.OK {
				continue
			}
			fmt.Fprintf(&b, "  FAIL %q, after %s of its own time\n", clean(t.Name), time.Duration(t.Virtual*float64(time.Second)))
			for _, d := range t.Differs {
				fmt.Fprintf(&b, "    %s:%d:%d: %s\n", clean(r.File), d.Line, d.Column, clean(d.Message))
			}
		}
		for _, p := range r.Coverage.Missing {
			fmt.Fprintf(&b, "  no test reaches %s\n", clean(p.in(r)))
		}
	}
	return b.String()
}

func tests(r Report) string {
	n := len(r.Tests)
	if bad := r.Failed(); bad > 0 {
		return fmt.Sprintf("%d of %d tests failed", bad, n)
	}
	if n == 1 {
		return "1 test"
	}
	return fmt.Sprintf("%d tests", n)
}

// in is a point with its place in the playbook that lies beside the test file.
func (p Point) in(r Report) string {
	file := path.Join(path.Dir(r.File), r.Playbook)
	if p.In != "" {
		file = "the sub-playbook " + p.In
	}
	if p.Step == "" {
		return fmt.Sprintf("%s: %s", file, p.What)
	}
	return fmt.Sprintf("%s:%d: %s: %s", file, p.Line, p.Step, p.What)
}

// clean shows control and format characters as escapes: files may be hostile and terminals obey.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
			return '\uFFFD'
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
}

// The shape of JUnit's XML, as continuous integration reads it.
type (
	junitSuites struct {
		XMLName  xml.Name     `xml:"testsuites"`
		Tests    int          `xml:"tests,attr"`
		Failures int          `xml:"failures,attr"`
		Suites   []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name     string      `xml:"name,attr"`
		Tests    int         `xml:"tests,attr"`
		Failures int         `xml:"failures,attr"`
		Time     string      `xml:"time,attr"`
		Cases    []junitCase `xml:"testcase"`
	}
	junitCase struct {
		Name    string        `xml:"name,attr"`
		Class   string        `xml:"classname,attr"`
		Time    string        `xml:"time,attr"`
		Failure *junitFailure `xml:"failure,omitempty"`
	}
	junitFailure struct {
		Message string `xml:"message,attr"`
		Text    string `xml:",chardata"`
	}
)

// JUnit writes reports as JUnit's XML.
func JUnit(w io.Writer, reports []Report) error {
	all := junitSuites{}
	for _, r := range reports {
		s := junitSuite{Name: clean(r.File), Tests: len(r.Tests), Failures: r.Failed(), Time: fmt.Sprintf("%.3f", r.Seconds)}
		all.Tests, all.Failures = all.Tests+s.Tests, all.Failures+s.Failures
		for _, t := range r.Tests {
			c := junitCase{Name: clean(t.Name), Class: clean(strings.TrimSuffix(r.Playbook, ".yaml")), Time: fmt.Sprintf("%.3f", t.Seconds)}
			if !t.OK {
				var lines []string
				for _, d := range t.Differs {
					lines = append(lines, fmt.Sprintf("%s:%d:%d: %s", clean(r.File), d.Line, d.Column, clean(d.Message)))
				}
				c.Failure = &junitFailure{Message: clean(first(t.Differs)), Text: strings.Join(lines, "\n")}
			}
			s.Cases = append(s.Cases, c)
		}
		all.Suites = append(all.Suites, s)
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	enc := xml.NewEncoder(w)
	enc.Indent("", "  ")
	if err := enc.Encode(all); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

func first(all []Difference) string {
	if len(all) == 0 {
		return ""
	}
	return all[0].Message
}
