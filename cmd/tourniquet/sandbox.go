package main

import (
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/tourniquet-ir/tourniquet/internal/sandbox"
)

// sandboxCmd runs the sandbox world alone, so that a serve of its own can be pointed at it.
func (sh *shell) sandboxCmd() *cobra.Command {
	var dir, listen, log, scenario string
	c := &cobra.Command{
		Use: "sandbox", Short: "Run the sandbox world alone and write a configuration that points at it", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			w, closeLog, err := worldLog(log)
			if err != nil {
				return err
			}
			defer closeLog()
			sc, err := pickScenario([]string{scenario})
			if err != nil {
				return err
			}
			stage, err := sc.Stage(sandbox.Options{Log: w})
			if err != nil {
				return err
			}
			defer stage.Close()
			abs, err := filepath.Abs(dir)
			if err != nil {
				return err
			}
			path, err := stage.Write(abs, listen)
			if err != nil {
				return err
			}
			stage.Connect("http://" + listen)
			err = writeJSON(sh.Out, map[string]any{
				"config": path, "provider": stage.ProviderURL, "github": stage.GitHubURL, "slack": stage.SlackURL, "key": stage.Key.ID, "alert": stage.AlertNumber,
			})
			if err != nil {
				return err
			}
			_, _ = fmt.Fprintln(sh.Talk, "the sandbox runs until it is interrupted; its Slack page is", stage.SlackURL)
			<-cmd.Context().Done()
			return nil
		},
	}
	c.Flags().StringVar(&dir, "dir", "sandbox", "folder for the configuration, the inventory and the secrets")
	c.Flags().StringVar(&scenario, "scenario", "", "whose scene is set; see: tourniquet drill list")
	c.Flags().StringVar(&listen, "serve-at", "127.0.0.1:8686", "where serve will listen")
	c.Flags().StringVar(&log, "world-log", "", "write every request to this file, as JSON lines")
	return c
}
