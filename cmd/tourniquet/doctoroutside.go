package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

// outside asks everybody whom a response needs, reading only.
func (e *examination) outside(ctx context.Context) {
	const mend = "docs/permissions.md has the exact permissions of each service"
	c := e.s.Config
	port, err := slackChat(e.s, nil)
	switch {
	case c.Slack == nil:
		e.note("slack", "make the app from slack-manifest.yaml and add the section slack", "not configured: people decide in the console only")
	case err != nil:
		e.fault("slack", err, "set the reference")
	default:
		e.judge("slack", within(ctx, port.Check), "compare the app with slack-manifest.yaml, invite it to the channel and check the ids", "channel "+c.Slack.Channel)
	}
	git, err := gitHub(e.s)
	switch {
	case c.GitHub == nil:
		e.note("github", "add the section github", "not configured: no tickets, no secrets of dependents")
	case err != nil:
		e.fault("github", err, "set the reference")
	default:
		login := ""
		err := within(ctx, func(ctx context.Context) (err error) {
			login, err = git.API.Login(ctx)
			return err
		})
		e.judge("github", err, mend, "the token belongs to "+login)
	}
	e.accounts(ctx, mend)
	e.stores(ctx, git)
	_, err = hooks(e.s)
	e.only("notify.webhooks", len(c.Notify.Webhooks) > 0, err)
	_, err = pager(e.s)
	e.only("notify.pagerduty", c.Notify.PagerDuty != nil, err)
	_, err = mailer(e.s)
	e.only("notify.mail", c.Notify.Mail != nil, err)
	e.people(ctx)
}

// stores asks those that can be asked without a permission; what each dependent needs is said by inventory check.
func (e *examination) stores(ctx context.Context, git gitHubPorts) {
	const mend = "see docs/dependents.md for the permissions, then: tourniquet inventory check"
	list, err := stores(e.s, git)
	if err != nil {
		e.fault("secret_stores", err, mend)
	}
	for _, s := range list {
		e.judge("store of "+s.Kinds()[0], within(ctx, s.Ready), mend, "the credentials are taken")
	}
}

// only judges what can be built but not asked without sending something.
func (e *examination) only(check string, configured bool, err error) {
	if configured {
		e.judge(check, err, "correct the section", "configured; nothing is sent by doctor")
	}
}

func (e *examination) accounts(ctx context.Context, mend string) {
	list, err := accounts(e.s)
	if err != nil {
		e.fault("providers", err, mend)
		return
	}
	if len(list) == 0 {
		e.note("providers", "add an account under providers", "no provider is configured, so no key can be contained")
	}
	for _, a := range list {
		e.judge(a.Provider.Name()+" "+a.Name, within(ctx, a.Provider.Check), mend, "the credentials work")
	}
}

// people checks that every group has somebody and that the policy can be met.
func (e *examination) people(ctx context.Context) {
	c := e.s.Config
	chat, err := slackChat(e.s, nil)
	if err != nil {
		chat = nil // said under slack
	}
	dir, err := directory(e.s, chatPort(chat))
	if err != nil {
		e.fault("people", err, "correct people and groups")
		return
	}
	sizes, all := map[string]int{}, map[string][]string{}
	for _, name := range slices.Sorted(maps.Keys(c.Groups)) {
		var members []string
		err := within(ctx, func(ctx context.Context) (err error) {
			members, _, err = dir.Members(ctx, name)
			return err
		})
		if err == nil && len(members) == 0 {
			err = fmt.Errorf("the group %q has nobody who is listed under people, so nobody could decide", name)
		}
		e.judge("group "+name, err, "list its members under people with their Slack ids", strings.Join(members, ", "))
		if sizes[name] = len(members); err == nil {
			all[name] = members
		}
	}
	if len(all) == len(c.Groups) {
		e.members = all
	}
	e.noSlack()
	e.policy(sizes)
}

// noSlack names people who are in a group and cannot press anything in Slack.
func (e *examination) noSlack() {
	if e.s.Config.Slack == nil {
		return
	}
	var without []string
	for _, p := range e.s.Config.People {
		for _, members := range e.members {
			if p.Slack == "" && slices.Contains(members, p.ID) && !slices.Contains(without, p.ID) {
				without = append(without, p.ID)
			}
		}
	}
	if len(without) > 0 {
		e.note("people", "add the id from their Slack profile (Copy member ID) as people[].slack; until then they can decide in the console",
			"%s cannot decide in Slack: no Slack id is known", strings.Join(without, ", "))
	}
}

// policy checks that every seat can be filled with the members that the groups have now. Who is excluded is only known in an
// incident: what fails for the worst of them alone is a note.
func (e *examination) policy(sizes map[string]int) {
	err, always := unfillable(e.s.Config.Policy, sizes)
	if err == nil {
		e.ok("policy", "every seat can be filled")
		return
	}
	err = errors.New(strings.ReplaceAll(err.Error(), "\n", "; "))
	kind := foundNote
	if always && e.s.Config.Mode == incident.ModeEnforce {
		kind = foundFault
	}
	e.findings = append(e.findings, finding{"policy", kind, err.Error(), "add people or ask for fewer before mode enforce relies on it"})
}

// response checks what answers an alert.
func (e *examination) response() {
	lib, err := library(e.s)
	e.judge("playbooks", err, "see: tourniquet playbook lint", fmt.Sprintf("%d compile", len(lib.Programs)))
	inv, err := inventoryOf(e.s)
	if err != nil {
		e.fault("inventory", err, "correct the file at the places named")
		return
	}
	entries := inv.Entries()
	for _, k := range entries {
		if k.Owner != "" && !knownPerson(e.s.Config, k.Owner) {
			e.note("inventory", "list the owner under people, or name another", "the owner %q of a key in line %d is not listed under people", k.Owner, k.Line)
		}
	}
	e.ok("inventory", "%d keys known", len(entries))
}

// mostSkew is how far our clock may be off: Slack refuses signatures that are five minutes old, and sign-offs expire by it.
const mostSkew = 30 * time.Second

// clock compares our clock with the Date header of the first server that tells one.
func (e *examination) clock(ctx context.Context) {
	for _, base := range e.servers() {
		var skew time.Duration
		err := within(ctx, func(ctx context.Context) (err error) {
			skew, err = skewOf(ctx, base)
			return err
		})
		if err != nil {
			continue // whoever does not answer is reported by his own check
		}
		if skew.Abs() > mostSkew {
			e.fault("clock", fmt.Errorf("this machine's clock is %s off from %s", skew.Abs().Round(time.Second), base), "switch time synchronisation (NTP) on")
			return
		}
		e.ok("clock", "within %s of %s", mostSkew, base)
		return
	}
	e.note("clock", "", "no configured server told its time, so the clock was not compared")
}

// servers are the addresses that the configuration reaches anyhow.
func (e *examination) servers() []string {
	c, out := e.s.Config, []string(nil)
	if c.GitHub != nil {
		out = append(out, orElse(c.GitHub.BaseURL, "https://api.github.com/"))
	}
	if c.Slack != nil {
		out = append(out, orElse(c.Slack.BaseURL, "https://slack.com/api/"))
	}
	return append(out, c.Providers.Servers()...)
}

// skewOf is our time minus the server's, in the middle of the call; no credential is sent.
func skewOf(ctx context.Context, base string) (time.Duration, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodHead, base, nil)
	if err != nil {
		return 0, err
	}
	before := time.Now()
	hc := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := hc.Do(req)
	if err != nil {
		return 0, err
	}
	_ = res.Body.Close()
	theirs, err := http.ParseTime(res.Header.Get("Date"))
	if err != nil {
		return 0, err
	}
	middle := before.Add(time.Since(before) / 2)
	return middle.Sub(theirs), nil
}
