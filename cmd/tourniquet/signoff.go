package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/report"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
)

func (sh *shell) signoffCmd() *cobra.Command {
	return online(group("signoff", "Sign-offs: see what is asked, approve or reject it", sh.signoffListCmd(), sh.signoffShowCmd(),
		sh.approveCmd(), sh.rejectCmd(), sh.answerCmd()))
}

func signoffPath(id string, more ...string) string {
	return strings.Join(append([]string{"/v1/signoffs", url.PathEscape(id)}, more...), "/")
}

func (sh *shell) signoffListCmd() *cobra.Command {
	all := false
	c := &cobra.Command{Use: "list", Short: "Open sign-offs and questions", Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
		r, err := sh.remote(cmd)
		if err != nil {
			return err
		}
		only := url.Values{"state": {signoff.StateOpen}}
		if all {
			only = url.Values{}
		}
		views, err := whole[signoff.View](cmd.Context(), r, "/v1/signoffs", only)
		if err != nil {
			return err
		}
		questions, err := whole[database.Question](cmd.Context(), r, "/v1/questions", only)
		if err != nil {
			return err
		}
		if sh.JSON {
			return sh.printJSON(map[string]any{"signoffs": views, "questions": questions})
		}
		return sh.listAsked(views, questions)
	}}
	c.Flags().BoolVar(&all, "all", false, "also those that are decided")
	return c
}

func (sh *shell) listAsked(views []signoff.View, questions []database.Question) error {
	if len(views)+len(questions) == 0 {
		sh.talk("nothing waits for people")
		return nil
	}
	var rows, asks [][]string
	for _, v := range views {
		rows = append(rows, []string{v.Request, v.State, fmt.Sprintf("%d of %d", v.Filled, v.Seats), stamp(v.Envelope.Expires), v.Envelope.World, v.Title})
	}
	for _, q := range questions {
		asks = append(asks, []string{q.ID, q.From, strings.Join(q.Choices, ", "), stamp(q.Expires), q.Prompt})
	}
	return errors.Join(sh.part("Sign-offs", []string{"REQUEST", "STATE", "SEATS", "UNTIL", "WORLD", "TITLE"}, rows),
		sh.part("Questions", []string{"QUESTION", "ASKED OF", "CHOICES", "UNTIL", "PROMPT"}, asks))
}

func (sh *shell) signoffShowCmd() *cobra.Command {
	return &cobra.Command{Use: "show REQUEST", Short: "Everything about one sign-off, with its check code", Args: one("the id of a request"), ValidArgsFunction: sh.openSignoffs(),
		RunE: func(cmd *cobra.Command, args []string) error {
			r, err := sh.remote(cmd)
			if err != nil {
				return err
			}
			v, raw, err := r.view(cmd, args[0])
			if err != nil {
				return err
			}
			if sh.JSON {
				return sh.printRaw(raw)
			}
			return errors.Join(sh.showView(v.View), sh.attempts(v.Attempts))
		}}
}

// shown is a sign-off with every attempt to decide it.
type shown struct {
	signoff.View `json:"view"`
	Attempts     []database.Attempt `json:"attempts"`
}

// view reads a sign-off and works out its digest anew: what is shown and what is signed must be one thing.
func (r *remote) view(cmd *cobra.Command, id string) (v shown, raw []byte, err error) {
	if raw, err = r.get(cmd.Context(), signoffPath(id), &v); err != nil {
		return v, raw, err
	}
	if v.Request != id {
		return v, raw, fmt.Errorf("the server answered with the request %q where %q was asked for; nothing was decided", v.Request, id)
	}
	digest, err := signoff.Digest(v.Envelope)
	if err != nil {
		return v, raw, fmt.Errorf("nothing was decided: %w", err)
	}
	if digest != v.Digest || signoff.CheckCode(digest) != v.Code {
		return v, raw, fmt.Errorf("the digest that the server gives is not the digest of the calls that it shows; nothing was decided. Do not sign this anywhere, and look into it")
	}
	return v, raw, nil
}

// showView prints all that people see elsewhere; nothing of it is cut.
func (sh *shell) showView(v signoff.View) error {
	until := "until"
	if v.State == signoff.StateOpen {
		until = "until (" + left(v.Envelope.Expires, time.Now()) + ")"
	}
	rows := [][]string{
		{"world", v.Envelope.World}, {"run", v.Envelope.Run}, {"step", strings.TrimSpace(v.Envelope.Step + "  " + v.Place)}, {"state", v.State},
		{"why", v.Why}, {"spent", v.Spent}, {"while waiting", v.Waiting}, {"who may", v.Who}, {"who may not", orNobody(v.WhoNot)},
		{"seats", fmt.Sprintf("%d of %d filled", v.Filled, v.Seats)}, {until, stamp(v.Envelope.Expires)}, {"otherwise", v.Otherwise},
	}
	for _, i := range v.Impact {
		rows = append(rows, []string{"impact", i})
	}
	for _, e := range v.Envelope.Evidence {
		rows = append(rows, []string{"evidence", e})
	}
	for _, x := range v.Refused {
		rows = append(rows, []string{"refused", x})
	}
	e := v.Envelope
	rows = append(rows,
		[]string{"bound to", fmt.Sprintf("incident %s, attempt %d, playbook %s@%s, policy %s", e.Incident, e.Attempt, e.Playbook, e.PlaybookHash, e.PolicyHash)},
		[]string{"once approved", fmt.Sprintf("first call within %s, last one %s after it", time.Duration(e.UseWithin)*time.Second, time.Duration(e.Complete)*time.Second)},
		[]string{"digest", v.Digest}, []string{"check code", v.Code})
	return errors.Join(sh.say("%s", v.Title), sh.table([]string{"request", v.Request}, rows), sh.calls(v), sh.changes(v.Changes))
}

func (sh *shell) calls(v signoff.View) error {
	errs := []error{sh.say("\nExactly these calls")}
	for _, c := range v.Envelope.Calls {
		in, err := plainJSON(c.Inputs)
		if err != nil {
			return err
		}
		errs = append(errs, sh.say("%3d. %s (%s) on %s\n     with: %s", c.Index+1, c.Action, c.Effect, c.Target, in))
		for _, name := range slices.Sorted(maps.Keys(c.State)) {
			errs = append(errs, sh.say("     now %s: %s", name, c.State[name]))
		}
		for _, line := range [][2]string{{"reach", c.Reach}, {"afterwards", c.After}, {"undone by", c.Undo}} {
			if line[1] != "" {
				errs = append(errs, sh.say("     %s: %s", line[0], line[1]))
			}
		}
	}
	return errors.Join(errs...)
}

// plainJSON is for readers: < stays <.
func plainJSON(v any) (string, error) {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("     ", "  ")
	err := enc.Encode(v)
	return strings.TrimSpace(b.String()), err
}

func (sh *shell) changes(changes []signoff.Change) error {
	var rows [][]string
	for _, c := range changes {
		undo := c.Undo
		if undo == "" {
			undo = "cannot be undone"
		}
		rows = append(rows, []string{c.Target, c.Before, c.After, undo})
	}
	return sh.part("What changes", []string{"TARGET", "BEFORE", "AFTER", "UNDO"}, rows)
}

func (sh *shell) attempts(all []database.Attempt) error {
	var rows [][]string
	for _, a := range all {
		rows = append(rows, []string{report.Who(a), a.Verb, stamp(a.At), a.Surface, report.Result(a), report.WhyOf(a)})
	}
	return sh.part("Every attempt", []string{"WHO", "WHAT", "WHEN", "WHERE", "RESULT", "WHY"}, rows)
}
