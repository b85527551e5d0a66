package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"time"

	"github.com/tourniquet-ir/tourniquet/activities"
	"github.com/tourniquet-ir/tourniquet/internal/diag"
	"github.com/tourniquet-ir/tourniquet/playbooks"
)

// aimLint is how many milliseconds the lint of a playbook of 300 lines may take, the start of the program left out.
const aimLint = 30.0

// aimTests is how long the tests of the whole library may take, in seconds, the start of the program included.
const aimTests = 10.0

// rehearsal is how long `tourniquet playbook test` took for the shipped library.
type rehearsal struct {
	Playbooks    int     `json:"playbooks"`
	Tests        int     `json:"tests"`
	VirtualHours float64 `json:"virtual_hours"`
	Seconds      float64 `json:"seconds"`
}

// rehearse plays the tests of the whole library, in a folder without a configuration.
func rehearse(ctx context.Context, binary, dir string) (*rehearsal, error) {
	cmd := exec.CommandContext(ctx, binary, "playbook", "test", "-o", "json")
	cmd.Dir = dir
	began := time.Now()
	body, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("the tests of the library: %w", err)
	}
	out := &rehearsal{Seconds: round(time.Since(began).Seconds())}
	var reports []struct {
		Tests []struct {
			Virtual float64 `json:"virtual_seconds"`
		} `json:"tests"`
	}
	if err := json.Unmarshal(body, &reports); err != nil {
		return nil, fmt.Errorf("the tests of the library: %w", err)
	}
	for _, r := range reports {
		out.Playbooks++
		out.Tests += len(r.Tests)
		for _, t := range r.Tests {
			out.VirtualHours += t.Virtual / 3600
		}
	}
	out.VirtualHours = round(out.VirtualHours)
	return out, nil
}

// lint is the median time, in milliseconds, of linting a playbook of 300 lines against the real actions.
func lint() (float64, error) {
	src, err := os.ReadFile("playbooks/testdata/ok/three_hundred_lines.yaml")
	if err != nil {
		return 0, fmt.Errorf("the bench runs at the top of the repository: %w", err)
	}
	w := playbooks.World{Actions: activities.Catalog(), Groups: map[string]int{"secops": 5, "secops_lead": 2}}
	var took []time.Duration
	for range 51 {
		began := time.Now()
		if p, faults := playbooks.Compile("300.yaml", src, w); p == nil {
			return 0, fmt.Errorf("the playbook of 300 lines is not good any more:\n%s", diag.Text(src, faults))
		}
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	return round(float64(took[len(took)/2].Microseconds()) / 1000), nil
}
