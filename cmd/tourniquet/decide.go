package main

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
	"github.com/tourniquet-ir/tourniquet/internal/wire"
)

// said is what the server answers to a decision that counts.
type said struct {
	Answer string `json:"answer"`
}

func (sh *shell) approveCmd() *cobra.Command {
	var code string
	c := &cobra.Command{Use: "approve REQUEST --code CODE", Short: "Sign for exactly the calls with this check code", Args: one("the id of a request"), ValidArgsFunction: sh.openSignoffs(),
		RunE: func(cmd *cobra.Command, args []string) error {
			code = strings.ToLower(strings.TrimSpace(code))
			if code == "" {
				return misuse("approving needs --code: the check code of what you read. See it with: tourniquet signoff show %s", args[0])
			}
			r, err := sh.remote(cmd)
			if err != nil {
				return err
			}
			v, _, err := r.view(cmd, args[0])
			if err != nil {
				return err
			}
			if code != v.Code {
				return &coded{exitPolicy, fmt.Errorf("the check code of %s is not %q, so these are not the calls that you read; nothing was decided. Read them again with: tourniquet signoff show %s", v.Request, code, v.Request)}
			}
			if err := sh.brief(v.View); err != nil {
				return err
			}
			return sh.decide(cmd, r, v.View, map[string]string{"verb": signoff.Approve, "digest": v.Digest, "code": v.Code})
		}}
	c.Flags().StringVar(&code, "code", "", "check code of what you read")
	return c
}

func (sh *shell) rejectCmd() *cobra.Command {
	var reason string
	c := &cobra.Command{Use: "reject REQUEST --reason TEXT", Short: "Refuse to sign; one rejection closes the request", Args: one("the id of a request"), ValidArgsFunction: sh.openSignoffs(),
		RunE: func(cmd *cobra.Command, args []string) error {
			if strings.TrimSpace(reason) == "" {
				return misuse("a rejection needs --reason: the run's next reader will ask")
			}
			r, err := sh.remote(cmd)
			if err != nil {
				return err
			}
			v, _, err := r.view(cmd, args[0])
			if err != nil {
				return err
			}
			if err := sh.brief(v.View); err != nil {
				return err
			}
			return sh.decide(cmd, r, v.View, map[string]string{"verb": signoff.Reject, "digest": v.Digest, "reason": reason})
		}}
	c.Flags().StringVar(&reason, "reason", "", "why")
	return c
}

// brief repeats beside the answer what is about to be decided.
func (sh *shell) brief(v signoff.View) error {
	beside := *sh
	beside.Out = sh.Talk
	return errors.Join(beside.say("%s\nwho may: %s\nwho may not: %s\nuntil: %s (%s)", v.Title, v.Who, orNobody(v.WhoNot), stamp(v.Envelope.Expires), left(v.Envelope.Expires, time.Now())),
		beside.calls(v))
}

func orNobody(s string) string {
	if s == "" {
		return "nobody is excluded"
	}
	return s
}

func (sh *shell) decide(cmd *cobra.Command, r *remote, v signoff.View, body map[string]string) error {
	var s said
	raw, err := r.post(cmd.Context(), signoffPath(v.Request, "decisions"), body, &s)
	if err != nil || sh.JSON {
		return errors.Join(err, sh.rawUnless(err, raw))
	}
	return sh.say("%s", s.Answer)
}

func (sh *shell) answerCmd() *cobra.Command {
	return &cobra.Command{Use: "answer QUESTION CHOICE", Short: "Answer a question; an answer gives no permission", Args: func(cmd *cobra.Command, args []string) error {
		if len(args) != 2 {
			return misuse("%s takes the id of a question and one of its choices", cmd.CommandPath())
		}
		return nil
	}, RunE: func(cmd *cobra.Command, args []string) error {
		r, err := sh.remote(cmd)
		if err != nil {
			return err
		}
		q, err := r.question(cmd, args[0])
		if err != nil {
			return err
		}
		sh.talk("%s asks %s: %s", q.Run, q.From, q.Prompt)
		digest := wire.QuestionDigest(wire.Question{ID: q.ID, Prompt: q.Prompt, Choices: q.Choices})
		var s said
		raw, err := r.post(cmd.Context(), "/v1/questions/"+url.PathEscape(q.ID)+"/answers", map[string]string{"answer": args[1], "digest": digest}, &s)
		if err != nil || sh.JSON {
			return errors.Join(err, sh.rawUnless(err, raw))
		}
		return sh.say("%s", s.Answer)
	}}
}

// question finds one that is open, so that the answer is bound to what it says now.
func (r *remote) question(cmd *cobra.Command, id string) (database.Question, error) {
	var found []database.Question
	err := pages(cmd.Context(), r, "/v1/questions", url.Values{"state": {signoff.StateOpen}}, func(items []database.Question) bool {
		if at := slices.IndexFunc(items, func(q database.Question) bool { return q.ID == id }); at >= 0 {
			found = items[at : at+1]
		}
		return found != nil
	})
	if err != nil {
		return database.Question{}, err
	}
	if found != nil {
		return found[0], nil
	}
	return database.Question{}, &coded{exitPolicy, fmt.Errorf("no open question has the id %q; see: tourniquet signoff list", id)}
}
