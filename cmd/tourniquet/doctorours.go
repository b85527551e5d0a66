package main

import (
	"fmt"
	"net"
	"net/url"
	"reflect"
	"strings"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/config"
	"github.com/tourniquet-ir/tourniquet/internal/people"
	"github.com/tourniquet-ir/tourniquet/internal/sandbox"
)

// nothing is the environment of a rehearsal: no secret of the operator's is read.
func nothing(string) (string, bool) { return "", false }

// asOurs is the stage's configuration with what the operator decides in it: people, groups as they are now, policy, playbooks and
// the trust of sources. Addresses and secrets stay the stage's.
func (e *examination) asOurs(stage *sandbox.Stage, dir string) (*config.Config, error) {
	ours := e.s.Config
	e.pretend(stage)
	listen, err := freePort()
	if err != nil {
		return nil, err
	}
	path, err := stage.Write(dir, listen)
	if err != nil {
		return nil, err
	}
	cfg, err := config.Load(path)
	if err != nil {
		return nil, err
	}
	cfg.People, cfg.Groups, cfg.Policy = ours.People, e.standing(), ours.Policy
	cfg.Playbooks.Dir = ours.At(ours.Playbooks.Dir)
	for name, s := range cfg.Sources {
		s.Trust = e.trust(name)
		cfg.Sources[name] = s
	}
	return cfg, staysHere(cfg)
}

// pretend gives the stage the operator's people, and a key that looks like the first one of its provider in the inventory.
func (e *examination) pretend(stage *sandbox.Stage) {
	ours, provider := e.s.Config, stage.Scenario.Issuer.Provider
	for _, p := range ours.People {
		if p.Slack != "" {
			stage.Slack.AddPerson(sandbox.SlackPerson{ID: p.Slack, Name: p.Name})
		}
	}
	stage.Owner = ""
	inv, err := inventoryOf(e.s)
	if err != nil {
		return // said under inventory
	}
	for _, k := range inv.Entries() {
		if k.Provider == provider {
			stage.Account, stage.Critical = orElse(k.Account, stage.Account), k.Critical
			if knownPerson(ours, k.Owner) {
				stage.Owner = k.Owner
			}
			return
		}
	}
}

// cast is everybody who could press: members of a group, and whoever owns the key.
func (e *examination) cast(sc sandbox.Scenario) (out []sandbox.ScriptedPerson) {
	for _, p := range e.s.Config.People {
		if p.Slack != "" {
			out = append(out, sandbox.ScriptedPerson{User: p.Slack, After: 300*time.Millisecond + time.Duration(len(out))*50*time.Millisecond, Answer: sc.Answer, Loose: true})
		}
	}
	return out
}

// standing are the groups as doctor found them, as lists: nobody is asked during a rehearsal.
func (e *examination) standing() map[string]people.Group {
	out := map[string]people.Group{}
	for name, members := range e.members {
		out[name] = people.Group{People: members}
	}
	return out
}

// trust is what the operator gives to the source of that name; the most that any source has where there is none such.
func (e *examination) trust(name string) string {
	all := e.s.Config.Sources
	if s, ok := all[name]; ok {
		return s.Trust
	}
	for _, s := range all {
		if s.Trust == "act" {
			return "act"
		}
	}
	return "tell"
}

// staysHere refuses a rehearsal whose configuration leads anywhere but to this machine, or to a secret that is not the stage's. What
// it says of people and policy holds no address.
func staysHere(c *config.Config) error {
	bare := *c
	bare.People, bare.Groups, bare.Text = nil, nil, nil
	bare.Policy.Undoable.AutoIf = ""
	for _, text := range texts(reflect.ValueOf(bare)) {
		scheme, rest, isAddress := strings.Cut(text, "://")
		if !isAddress || scheme == "file" && strings.HasPrefix(rest, "/") {
			continue
		}
		u, err := url.Parse(text)
		if err != nil || !net.ParseIP(u.Hostname()).IsLoopback() {
			return fmt.Errorf("the rehearsal was not begun: %q does not lead to this machine's sandbox", scheme+"://…")
		}
	}
	switch {
	case c.Temporal.Mode != "embedded", c.Temporal.Database != "", c.Database.Driver != "sqlite", c.Evidence.URL != "", c.Tracing.Endpoint != "", c.Notify.Mail != nil:
		return fmt.Errorf("the rehearsal was not begun: it would have used records, mail or an engine of somebody else")
	}
	return nil
}

// texts are all strings below a value.
func texts(v reflect.Value) (out []string) {
	switch v.Kind() {
	case reflect.String:
		return []string{v.String()}
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			return texts(v.Elem())
		}
	case reflect.Struct:
		for i := range v.NumField() {
			out = append(out, texts(v.Field(i))...)
		}
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			out = append(out, texts(v.Index(i))...)
		}
	case reflect.Map:
		for _, k := range v.MapKeys() {
			out = append(out, texts(v.MapIndex(k))...)
		}
	default: // numbers and switches lead nowhere
	}
	return out
}
