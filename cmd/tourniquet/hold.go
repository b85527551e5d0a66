package main

import (
	"errors"
	"strings"

	"github.com/spf13/cobra"
)

// holding is the state of the hold, as the server says it.
type holding struct {
	On     bool   `json:"on"`
	By     string `json:"by"`
	Reason string `json:"reason"`
}

func (sh *shell) holdCmd() *cobra.Command {
	status := &cobra.Command{Use: "status", Short: "Whether automatic actions are on hold", Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
		r, err := sh.remote(cmd)
		if err != nil {
			return err
		}
		var h holding
		raw, err := r.get(cmd.Context(), "/v1/hold", &h)
		return errors.Join(err, sh.holdSaid(err, raw, h))
	}}
	return online(group("hold", "Stop and resume all automatic actions",
		sh.setHoldCmd("on", "Stop all automatic actions; sign-offs go on", true), sh.setHoldCmd("off", "Let automatic actions run again", false), status))
}

func (sh *shell) setHoldCmd(use, short string, on bool) *cobra.Command {
	var reason string
	c := &cobra.Command{Use: use + " --reason TEXT", Short: short, Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
		if strings.TrimSpace(reason) == "" {
			return misuse("hold %s needs --reason: the next reader will ask", use)
		}
		r, err := sh.remote(cmd)
		if err != nil {
			return err
		}
		var h holding
		raw, err := r.post(cmd.Context(), "/v1/hold", map[string]any{"on": on, "reason": reason}, &h)
		return errors.Join(err, sh.holdSaid(err, raw, h))
	}}
	c.Flags().StringVar(&reason, "reason", "", "why")
	return c
}

func (sh *shell) holdSaid(err error, raw []byte, h holding) error {
	switch {
	case err != nil:
		return nil //nolint:nilerr // the caller reports it; here is only nothing to say
	case sh.JSON:
		return sh.printRaw(raw)
	case h.On:
		return sh.say("on: automatic actions are on hold, by %s: %s", h.By, h.Reason)
	}
	return sh.say("off: automatic actions may run")
}
