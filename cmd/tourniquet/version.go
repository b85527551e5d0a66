package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/tourniquet-ir/tourniquet/playbooks"
)

// release is what `version` answers: enough to rebuild the same binary.
type release struct {
	Version  string `json:"version"`
	Program  int    `json:"program_version"` // of the playbook programs that this binary writes and reads
	Commit   string `json:"commit,omitempty"`
	Built    string `json:"commit_time,omitempty"`
	Modified bool   `json:"modified"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

func (sh *shell) versionCmd() *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Say which build this is", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			r := thisRelease(debug.ReadBuildInfo())
			if sh.JSON {
				return sh.printJSON(r)
			}
			text := "tourniquet " + r.Version
			if r.Commit != "" {
				text += ", commit " + r.Commit
			}
			if r.Modified {
				text += " with local changes"
			}
			_, err := fmt.Fprintf(sh.Out, "%s\nplaybook programs %d, %s, %s\n", text, r.Program, r.Go, r.Platform)
			return err
		},
	}
}

// thisRelease reads what the Go tool wrote into the binary; nothing has to be passed at link time.
func thisRelease(info *debug.BuildInfo, known bool) release {
	r := release{Version: "unknown", Program: playbooks.ProgramVersion, Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	if !known {
		return r
	}
	r.Version = info.Main.Version
	if r.Version == "" || r.Version == "(devel)" {
		r.Version = "development"
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			r.Commit = s.Value
		case "vcs.time":
			r.Built = s.Value
		case "vcs.modified":
			r.Modified = s.Value == "true"
		}
	}
	return r
}
