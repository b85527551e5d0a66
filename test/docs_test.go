package test

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/tourniquet-ir/tourniquet/integrations/sources"
	"github.com/tourniquet-ir/tourniquet/internal/config"
	"github.com/tourniquet-ir/tourniquet/internal/inventory"
)

var (
	fence = regexp.MustCompile("(?ms)^```([a-z]*)\n(.*?)^```$")
	link  = regexp.MustCompile(`\]\(([^)#]+)(#[^)]*)?\)`)
)

// Every example in the docs is read by the code that would read it in earnest.
func TestTheExamplesInTheDocsAreRead(t *testing.T) {
	t.Parallel()
	read := 0
	for file, text := range pages(t) {
		for _, m := range fence.FindAllStringSubmatch(text, -1) {
			kind, body := m[1], m[2]
			var err error
			switch {
			case kind == "json":
				err = readAlert(body)
			case strings.HasPrefix(body, "# tourniquet.yaml"):
				_, err = config.Parse([]byte(body))
			case strings.HasPrefix(body, "# inventory.yaml"):
				if _, faults := inventory.Load(file, []byte(body)); len(faults) > 0 {
					t.Errorf("%s: %v", file, faults)
				}
			default:
				continue
			}
			read++
			if err != nil {
				t.Errorf("%s: %v\n%s", file, err, body)
			}
		}
	}
	if read < 4 {
		t.Errorf("only %d examples were read: the test looks at the wrong place", read)
	}
}

func readAlert(body string) error {
	if !json.Valid([]byte(body)) {
		return os.ErrInvalid
	}
	_, err := sources.NewGeneric().Decode(context.Background(), sources.Request{Body: []byte(body), Headers: http.Header{}, At: time.Now()})
	return err
}

// pictures are made from a running drill and added by hand.
func TestTheLinksInTheDocsLeadSomewhere(t *testing.T) {
	t.Parallel()
	for file, text := range pages(t) {
		for _, m := range link.FindAllStringSubmatch(text, -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			if _, err := os.Stat(filepath.Join(filepath.Dir(file), m[1])); err != nil {
				t.Errorf("%s links to %s: %v", file, m[1], err)
			}
		}
	}
}

func pages(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, glob := range []string{"../*.md", "../docs/*.md", "../docs/providers/*.md"} {
		files, err := filepath.Glob(glob)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			raw, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			out[file] = string(raw)
		}
	}
	return out
}
