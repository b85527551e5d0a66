package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"time"
)

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
