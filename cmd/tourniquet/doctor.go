package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tourniquet-ir/tourniquet/internal/config"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

// What a check may find.
const (
	foundOK    = "ok"
	foundNote  = "note"  // works, but somebody should know
	foundFault = "fault" // does not work
)

// finding is one line of doctor's answer.
type finding struct {
	Check  string `json:"check"`
	Status string `json:"status"`
	Detail string `json:"detail"`
	Mend   string `json:"mend,omitempty"`
}

// examination is one visit of the doctor. It changes nothing outside of our own data directory and place of evidence.
type examination struct {
	sh       *shell
	s        settings
	findings []finding
	members  map[string][]string // of every group, as ids of people; nil until all of them are known
}

// checkWithin bounds every single check.
const checkWithin = 20 * time.Second

func (sh *shell) doctorCmd() *cobra.Command {
	part, drill, limit := "", false, time.Duration(0)
	c := &cobra.Command{
		Use: "doctor", Short: "Check everything that a response relies on, and say how to mend it", Args: cobra.NoArgs,
		Long: "Check the configuration, our own files, disk, evidence, the workflow engine, Slack, GitHub, every provider, people, playbooks,\n" +
			"the inventory and the clock. All calls to others only read. With --drill your own playbooks, policy and people are rehearsed in the\n" +
			"sandbox as well, where nothing real is touched. The exit code is 1 when anything is at fault.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			r, err := parseRole(part)
			if err != nil {
				return err
			}
			return sh.doctor(cmd.Context(), r, drill, limit)
		},
	}
	c.Flags().StringVar(&part, "role", sh.env("TOURNIQUET_ROLE", "all"), "which part of the house this host is to be: all, api or worker")
	c.Flags().BoolVar(&drill, "drill", false, "rehearse a theft at each configured provider in the sandbox, with your playbooks, policy and people")
	c.Flags().DurationVar(&limit, "drill-limit", 2*time.Minute, "give a rehearsal up after this long")
	return c
}

func (sh *shell) doctor(ctx context.Context, r role, drill bool, limit time.Duration) error {
	e := &examination{sh: sh}
	c, err := config.Load(sh.Config)
	if err != nil {
		e.fault("configuration", err, "mend the file, then run doctor again; tourniquet.example.yaml shows every section")
		return e.tell()
	}
	e.s = settings{Config: c, Env: sh.places(c), World: incident.WorldProduction, Log: sh.logger(), Role: r}
	e.ok("configuration", "%s, mode %s", sh.Config, c.Mode)
	e.role()
	e.secrets()
	if r.is(roleAPI) {
		e.sources()
	}
	ring := e.records(ctx)
	e.engine(ctx, ring)
	e.outside(ctx)
	e.response()
	e.clock(ctx)
	if drill {
		e.drills(ctx, limit)
	}
	return e.tell()
}

func (e *examination) ok(check, format string, args ...any) {
	e.findings = append(e.findings, finding{check, foundOK, fmt.Sprintf(format, args...), ""})
}

func (e *examination) note(check, mend, format string, args ...any) {
	e.findings = append(e.findings, finding{check, foundNote, fmt.Sprintf(format, args...), mend})
}

func (e *examination) fault(check string, err error, mend string) {
	e.findings = append(e.findings, finding{check, foundFault, err.Error(), mend})
}

// judge is ok with detail, or the fault.
func (e *examination) judge(check string, err error, mend, detail string) {
	if err != nil {
		e.fault(check, err, mend)
		return
	}
	e.ok(check, "%s", detail)
}

// within runs one check that asks somebody else.
func within(ctx context.Context, check func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, checkWithin)
	defer cancel()
	return check(ctx)
}

// secrets resolves every reference and keeps none.
func (e *examination) secrets() {
	resolved := 0
	for _, v := range valuesOf(e.s.Config) {
		atDoor := strings.HasPrefix(v.Name, "sources.") || strings.HasPrefix(v.Name, "server.oidc.")
		if !v.Secret || atDoor && e.s.Role == roleWorker { // a worker has no doors, and does well not to hold their secrets
			continue
		}
		if _, err := config.Secret(v.Value).Resolve(e.s.Env); err != nil {
			e.fault("secret "+v.Name, err, mendOf(v.Value))
			continue
		}
		resolved++
	}
	e.ok("secrets", "%d references resolve", resolved)
}

// mendOf is what somebody does about a reference that does not resolve.
func mendOf(reference string) string {
	if strings.HasPrefix(reference, "env://") || strings.HasPrefix(reference, "file://") {
		return "set it where tourniquet runs: the configuration refers to " + reference
	}
	return "write " + reference + " into its store, and let tourniquet read it: docs/secrets.md has the right that it needs"
}

func (e *examination) tell() error {
	faults := slices.DeleteFunc(slices.Clone(e.findings), func(f finding) bool { return f.Status != foundFault })
	var err error
	if len(faults) > 0 {
		err = &coded{exitFailed, fmt.Errorf("%d of %d checks are at fault", len(faults), len(e.findings))}
	}
	if e.sh.JSON {
		return errors.Join(e.sh.printJSON(e.findings), err)
	}
	words := map[string]string{foundOK: "ok   ", foundNote: "note ", foundFault: "FAULT"}
	for _, f := range e.findings {
		if say := e.sh.say("%s  %-22s %s", words[f.Status], f.Check, f.Detail); say != nil {
			return say
		}
		if f.Mend == "" {
			continue
		}
		if say := e.sh.say("       %-22s mend: %s", "", f.Mend); say != nil {
			return say
		}
	}
	return err
}
