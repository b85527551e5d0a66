package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

// givesBack are the shipped playbooks by which people take back what an ended run left in force, by the action that does it.
func givesBack(action string) string {
	switch action {
	case "key.restore":
		return "give-back"
	case "sessions.restore":
		return "give-back-sessions"
	}
	return ""
}

// leftInForce is what the API says of a run.
type leftInForce struct {
	Run     incident.Run
	InForce []struct{ Step, Action, Target string } `json:"in_force"`
}

func (sh *shell) runUndoCmd() *cobra.Command {
	var reason string
	c := &cobra.Command{Use: "undo RUN --reason TEXT", Short: "Ask people to take back what an ended run left in force on its key, the newest first", Args: one("the id of a run"), ValidArgsFunction: sh.ids("/v1/runs"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if strings.TrimSpace(reason) == "" {
				return misuse("taking back needs --reason")
			}
			r, err := sh.remote(cmd)
			if err != nil {
				return err
			}
			var left leftInForce
			if _, err := r.get(cmd.Context(), runPath(args[0]), &left); err != nil {
				return err
			}
			playbook, rest, err := left.next()
			if err != nil {
				return err
			}
			var run incident.Run
			raw, err := r.post(cmd.Context(), "/v1/runs", map[string]string{"playbook": playbook, "key": left.Run.Key.Target(), "reason": reason}, &run)
			if err != nil || sh.JSON {
				return errors.Join(err, sh.rawUnless(err, raw))
			}
			sh.talk("the run is %s and asks people to sign; who starts it is not one of them. Follow it with: tourniquet run watch %s", run.State, run.ID)
			for _, text := range rest {
				sh.talk("still in force after it: %s", text)
			}
			return sh.say("%s", run.ID)
		}}
	c.Flags().StringVar(&reason, "reason", "", "why")
	return c
}

// next is the playbook for what was done last, and what remains after it.
func (l leftInForce) next() (playbook string, rest []string, err error) {
	switch {
	case l.Run.State != "done":
		return "", nil, fmt.Errorf("run %s has not ended: cancel it first, or let it end as a false alarm, which takes everything back", l.Run.ID)
	case len(l.InForce) == 0:
		return "", nil, fmt.Errorf("nothing of run %s is in force", l.Run.ID)
	case l.Run.Key == nil:
		return "", nil, fmt.Errorf("run %s was about no key: start what it stopped by hand", l.Run.ID)
	}
	for _, u := range slices.Backward(l.InForce) {
		if is := givesBack(u.Action); is != "" && playbook == "" {
			playbook = is
			continue
		}
		rest = append(rest, fmt.Sprintf("%s on %s (%s)", u.Step, u.Target, u.Action))
	}
	if playbook == "" {
		return "", nil, fmt.Errorf("no playbook takes this back after the run: %s", strings.Join(rest, "; "))
	}
	return playbook, rest, nil
}
