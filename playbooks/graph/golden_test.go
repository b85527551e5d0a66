package graph_test

import (
	"os"
	"testing"

	"github.com/tourniquet-ir/tourniquet/playbooks/graph"
)

const inner = `schema: tourniquet/v1
id: inner
title: Another playbook
steps:
  - { id: tell, uses: incident.update, with: { text: hello } }
on_failure:
  - { id: cry, uses: incident.update, with: { text: help } }
finally:
  - { id: bye, uses: incident.update, with: { text: bye } }
`

func TestEveryKindOfStepIsDrawnAsItsGoldenFilesShow(t *testing.T) {
	t.Parallel()
	src, err := os.ReadFile("testdata/every_kind.yaml")
	if err != nil {
		t.Fatal(err)
	}
	p := compile(t, src, map[string][]byte{"inner": []byte(inner)})
	o := graph.Options{Status: map[string]string{
		"pause": "skipped", "both": "done", "both/p1": "done", "both/p2": "failed", "form": "done", "usage": "running", "rev": "waiting",
	}}
	for file, got := range map[string][]byte{"testdata/every_kind.svg": graph.SVG(p, o), "testdata/every_kind.mmd": graph.Mermaid(p, o)} {
		if *update {
			if err := os.WriteFile(file, got, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if want, err := os.ReadFile(file); err != nil || string(want) != string(got) {
			t.Errorf("%s is not what the code draws (%v): look at it and refresh it with -update", file, err)
		}
	}
}
