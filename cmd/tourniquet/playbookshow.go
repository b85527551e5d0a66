package main

import (
	"fmt"

	"github.com/tourniquet-ir/tourniquet/internal/diag"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
	"github.com/tourniquet-ir/tourniquet/playbooks"
)

// described is a playbook for readers.
type described struct {
	ID          string   `json:"id"`
	Title       string   `json:"title"`
	Owner       string   `json:"owner,omitempty"`
	Tags        []string `json:"tags,omitempty"`
	Digest      string   `json:"digest"`
	Trigger     string   `json:"trigger,omitempty"`
	Priority    int      `json:"priority,omitempty"`
	Description string   `json:"description,omitempty"`
}

func describedOf(p *playbooks.Program) described {
	return described{ID: p.ID, Title: p.Title, Owner: p.Owner, Tags: p.Tags, Digest: p.Digest, Trigger: p.Trigger, Priority: p.Priority}
}

func (sh *shell) showPlaybook(what string) error {
	p, err := sh.find(what)
	if err != nil {
		return err
	}
	policy := signoff.DefaultPolicy()
	if c, err := sh.configOrDefaults(); err == nil && c.Path != "" {
		policy = c.Policy
	}
	d := describedOf(p)
	d.Description = playbooks.Describe(p, policy)
	if sh.JSON {
		return sh.printJSON(d)
	}
	_, err = fmt.Fprint(sh.Out, visible(d.Description))
	return err
}

func (sh *shell) listPlaybooks() error {
	sheets, err := sh.sheets(nil)
	if err != nil {
		return err
	}
	world, err := sh.world()
	if err != nil {
		return err
	}
	list, rows, broken := []described{}, [][]string{}, 0
	for _, s := range sheets {
		p, faults := playbooks.Compile(s.name, s.source, world(s))
		if p == nil {
			broken++
			_, _ = fmt.Fprint(sh.Talk, diag.Text(s.source, faults))
			continue
		}
		when := p.Trigger
		if when == "" {
			when = "by hand or from another playbook"
		}
		list, rows = append(list, describedOf(p)), append(rows, []string{p.ID, p.Title, p.Owner, when})
	}
	if sh.JSON {
		err = sh.printJSON(list)
	} else {
		err = sh.table([]string{"PLAYBOOK", "TITLE", "OWNER", "STARTS WHEN"}, rows)
	}
	if err == nil && broken > 0 {
		return misuse("%d playbooks cannot be used; see: tourniquet playbook lint", broken)
	}
	return err
}
