package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	slackapi "github.com/slack-go/slack"
	"github.com/spf13/cobra"

	"github.com/tourniquet-ir/tourniquet/activities"
	"github.com/tourniquet-ir/tourniquet/integrations/chat/slack"
	"github.com/tourniquet-ir/tourniquet/internal/console"
	"github.com/tourniquet-ir/tourniquet/internal/rehearse"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
)

func (sh *shell) playbookPreviewCmd() *cobra.Command {
	f, out := alertFile{}, ""
	c := &cobra.Command{
		Use: "preview FILE|ID --alert FILE", Short: "The card and the console page of each sign-off, for a given alert", Args: one("a file or the id of a playbook"),
		Long: "Play the playbook for one alert, with the examples of the cards, and show what people would be asked: the Slack card as text, or\n" +
			"with -o json as Block Kit, and with --html the console's pages. Drawn by the code that draws the real ones. No server is needed.",
		RunE: func(cmd *cobra.Command, args []string) error { return sh.previewPlaybook(cmd, args[0], f, out) },
	}
	f.flags(c)
	c.Flags().StringVar(&out, "html", "", "write the console's page of each sign-off into this folder, too")
	return c
}

// previewCard is one moment in which people are asked, for scripts.
type previewCard struct {
	Step     string           `json:"step"`
	Answers  []string         `json:"answers,omitempty"`
	View     *signoff.View    `json:"view,omitempty"`
	Question string           `json:"question,omitempty"`
	Choices  []string         `json:"choices,omitempty"`
	Blocks   []slackapi.Block `json:"blocks,omitempty"`
	Page     string           `json:"page,omitempty"`
}

func (sh *shell) previewPlaybook(cmd *cobra.Command, what string, f alertFile, folder string) error {
	p, err := sh.find(what)
	if err != nil {
		return err
	}
	alerts, err := sh.alertsFrom(cmd, f)
	if err != nil {
		return err
	}
	a := alerts[0]
	policy, err := sh.policy()
	if err != nil {
		return err
	}
	got, err := rehearse.Preview(p, activities.Catalog(), policy, a)
	if err != nil {
		return &coded{exitFailed, err}
	}
	cards := make([]previewCard, 0, len(got.Shown))
	for _, s := range got.Shown {
		card := previewCard{Step: s.Step, Answers: s.Answers, View: s.View}
		if s.View != nil {
			card.Blocks = slack.Card(*s.View)
			if card.Page, err = writePage(folder, *s.View, a); err != nil {
				return err
			}
		} else {
			card.Question, card.Choices = s.Question.Prompt, s.Question.Choices
		}
		cards = append(cards, card)
	}
	if sh.JSON {
		return sh.printJSON(map[string]any{"playbook": p.ID, "shown": cards, "unseen": got.Unseen})
	}
	return sh.tellPreview(cards, got.Unseen)
}

// writePage writes the console's page of a sign-off; without a folder nothing is written.
func writePage(folder string, v signoff.View, a rehearse.Alert) (string, error) {
	if folder == "" {
		return "", nil
	}
	page, err := console.Preview(v, a.Alert, v.Envelope.Issued)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(folder, 0o755); err != nil { //nolint:gosec // pages for people, without a secret
		return "", misuse("the folder %q cannot be made: %w", folder, err)
	}
	name := filepath.Join(folder, strings.NewReplacer("/", "_", "[", "_", "]", "").Replace(v.Envelope.Step)+".html")
	if err := os.WriteFile(name, page, 0o644); err != nil { //nolint:gosec // a page for people, without a secret
		return "", misuse("the page %q cannot be written: %w", name, err)
	}
	return name, nil
}

func (sh *shell) tellPreview(cards []previewCard, unseen []string) error {
	var b bytes.Buffer
	for _, c := range cards {
		behind := ""
		if len(c.Answers) > 0 {
			behind = " (after " + strings.Join(c.Answers, ", ") + ")"
		}
		fmt.Fprintf(&b, "# %s%s\n\n", c.Step, behind)
		if c.View == nil {
			fmt.Fprintf(&b, "%s\n[ %s ]\n\n", strings.TrimSpace(c.Question), strings.Join(c.Choices, " ]  [ "))
			continue
		}
		b.WriteString(slack.Text(c.Blocks) + "\n")
		if c.Page != "" {
			fmt.Fprintf(&b, "   page: %s\n\n", c.Page)
		}
	}
	for _, u := range unseen {
		fmt.Fprintf(&b, "never asked for this alert: %s\n", u)
	}
	_, err := fmt.Fprint(sh.Out, visible(b.String()))
	return err
}

// policy is the configured one, or the default that the documentation shows.
func (sh *shell) policy() (signoff.Policy, error) {
	c, err := sh.configOrDefaults()
	if err != nil || c.Path == "" || len(c.Policy.Final.Seats) == 0 {
		return signoff.DefaultPolicy(), err
	}
	return c.Policy, nil
}
