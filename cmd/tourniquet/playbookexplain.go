package main

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tourniquet-ir/tourniquet/integrations/sources"
	"github.com/tourniquet-ir/tourniquet/internal/config"
	"github.com/tourniquet-ir/tourniquet/internal/diag"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/rehearse"
	"github.com/tourniquet-ir/tourniquet/playbooks"
)

// alertFile is where an alert is read from: in our words, or as a source sends it.
type alertFile struct{ path, source, event string }

func (f *alertFile) flags(c *cobra.Command) {
	c.Flags().StringVar(&f.path, "alert", "", "file with one alert, as YAML or JSON; a test file with an alert, too; - reads standard input")
	c.Flags().StringVar(&f.source, "source", "", "the file is a finding as this source sends it: see tourniquet source list")
	c.Flags().StringVar(&f.event, "event", "secret_scanning_alert", "name of the event, for sources that put it into a header")
	_ = c.MarkFlagRequired("alert")
	_ = c.RegisterFlagCompletionFunc("source", completeSources)
}

// alertsFrom gives the alerts of a file; it asks no source, no provider and no server.
func (sh *shell) alertsFrom(cmd *cobra.Command, f alertFile) ([]rehearse.Alert, error) {
	now := time.Now()
	if f.source == "" {
		body, err := sh.finding(f.path, sources.MaxBody)
		if err != nil {
			return nil, err
		}
		a, faults := rehearse.ReadAlert(f.path, body, now)
		if diag.HasErrors(faults) {
			_, _ = fmt.Fprint(sh.Talk, diag.Text(body, faults))
			return nil, misuse("%q is not an alert; a finding of a source is read with --source", f.path)
		}
		return []rehearse.Alert{a}, nil
	}
	c, err := sh.configOrDefaults()
	if err != nil {
		return nil, err
	}
	s, _, err := sourceOf(c, f.source)
	if err != nil {
		return nil, &coded{exitMisuse, err}
	}
	bodies, err := sh.findings(f.path, s)
	if err != nil {
		return nil, err
	}
	var out []rehearse.Alert
	for _, body := range bodies {
		got, err := s.Decode(cmd.Context(), sources.Request{Headers: f.headers(s.Describe(), body), Body: body, At: now})
		if err != nil {
			return nil, misuse("%s refuses the finding: %w", f.source, err)
		}
		for _, d := range got.Findings {
			out = append(out, asAlert(c, f.source, d, now))
		}
	}
	if len(out) == 0 {
		return nil, misuse("%s makes no alert of it", f.source)
	}
	return out, nil
}

// headers are those that the source sends beside a finding.
func (f alertFile) headers(card sources.Card, body []byte) http.Header {
	h := http.Header{"Content-Type": {mediaOf(card, body)}}
	for _, name := range card.Headers {
		if strings.HasSuffix(name, "-Event") {
			h.Set(name, f.event)
			continue
		}
		h.Set(name, deliveryID())
	}
	return h
}

// asAlert is a decoded finding with what the door and the configuration add to it.
func asAlert(c *config.Config, source string, got sources.Decoded, now time.Time) rehearse.Alert {
	a := got.Alert
	a.ID, a.Source, a.ReceivedAt, a.Trust = "preview", source, now, orElse(c.Sources[source].Trust, incident.TrustTell)
	if len(got.Secret) > 0 {
		a.Key.SecretHash = "a sealed value" // the door seals what a finding carries
		clear(got.Secret)
	}
	if a.Key.Where == "" {
		a.Key.Where = got.FetchLink
	}
	k := incident.Key{Provider: a.Key.Provider, Account: a.Key.Account, ID: orElse(a.Key.ID, "unknown"), Hint: a.Key.Hint, Dependents: []incident.Dependent{}}
	return rehearse.Alert{Alert: a, Found: k, HasKey: a.NamesKey()}
}

func (sh *shell) playbookExplainCmd() *cobra.Command {
	f := alertFile{}
	c := &cobra.Command{
		Use: "explain --alert FILE [FILE|FOLDER…]", Short: "Which playbook would answer an alert, and which part of each other condition fails",
		RunE: func(cmd *cobra.Command, args []string) error { return sh.explainAlert(cmd, args, f) },
	}
	f.flags(c)
	return c
}

// explanation is what all playbooks say to one alert.
type explanation struct {
	Alert string                `json:"alert"` // title
	Said  []playbooks.Explained `json:"playbooks"`
}

func (sh *shell) explainAlert(cmd *cobra.Command, paths []string, f alertFile) error {
	alerts, err := sh.alertsFrom(cmd, f)
	if err != nil {
		return err
	}
	programs, err := sh.compiled(paths)
	if err != nil {
		return err
	}
	all := make([]explanation, 0, len(alerts))
	for _, a := range alerts {
		all = append(all, explanation{a.Title, playbooks.ExplainAll(programs, a.Env(), a.NamesKey(), time.Now())})
	}
	if sh.JSON {
		return sh.printJSON(all)
	}
	return sh.tellExplained(all)
}

func (sh *shell) compiled(paths []string) ([]*playbooks.Program, error) {
	sheets, err := sh.sheets(paths)
	if err != nil {
		return nil, err
	}
	world, err := sh.world()
	if err != nil {
		return nil, err
	}
	var out []*playbooks.Program
	for _, s := range sheets {
		p, faults := playbooks.Compile(s.name, s.source, world(s))
		if p == nil {
			_, _ = fmt.Fprint(sh.Talk, diag.Text(s.source, faults))
			return nil, misuse("%q cannot be used", s.name)
		}
		out = append(out, p)
	}
	return out, nil
}

func (sh *shell) tellExplained(all []explanation) error {
	var b bytes.Buffer
	for i, x := range all {
		if len(all) > 1 {
			fmt.Fprintf(&b, "# alert %d of %d: %s\n", i+1, len(all), x.Alert)
		}
		x.write(&b)
	}
	_, err := fmt.Fprint(sh.Out, visible(b.String()))
	return err
}

func (x explanation) write(b *bytes.Buffer) {
	answer := "no playbook answers this alert"
	for _, e := range x.Said {
		if e.Picked {
			answer = e.Playbook + " answers this alert"
		}
	}
	b.WriteString(answer + "\n")
	for _, e := range x.Said {
		word := "does not answer"
		switch {
		case e.Picked:
			word = "answers"
		case e.Answers:
			word = "would answer"
		}
		fmt.Fprintf(b, "\n%s %s (priority %d): %s\n", e.Playbook, word, e.Priority, e.Why)
		for _, line := range e.Reason.Lines() {
			b.WriteString("  " + line + "\n")
		}
	}
}
