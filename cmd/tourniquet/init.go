package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tourniquet-ir/tourniquet/internal/config"
)

// answers is what init needs to know.
type answers struct {
	Dir, Listen, URL                                string
	SlackChannel, SlackTeam, SlackApp, SlackURL     string
	SlackHTTP, SlackRooms                           bool
	GeminiProject, GeminiAccount, GeminiCredentials string
	GoogleEndpoint                                  string
	OpenAIAccount, OpenAIProject, OpenAIURL         string
	GitHubOwner, GitHubRepo, GitHubURL              string
	Persons                                         []string
	Lead                                            string
	Force                                           bool
}

func (sh *shell) initCmd() *cobra.Command {
	a := answers{}
	c := &cobra.Command{
		Use: "init", Short: "Write tourniquet.yaml, inventory.yaml and the Slack manifest", Args: cobra.NoArgs,
		Long: "Write a configuration in mode observe, an empty inventory and the manifest of the Slack app from flags. In a terminal,\n" +
			"what no flag says is asked. Secrets are never asked for: the configuration refers to environment variables.",
		Example: "  tourniquet init --person ana:Ana:U01ANA --person bo:Bo:U02BO --slack-channel C01RESPOND --slack-team T01ACME \\\n" +
			"    --slack-app A01TOURN --gemini-project acme-prod --github-owner acme --github-repo incidents",
		RunE: func(*cobra.Command, []string) error { return sh.init(a) },
	}
	f := c.Flags()
	f.StringVar(&a.Dir, "dir", ".", "folder to write into")
	f.StringVar(&a.Listen, "listen", "127.0.0.1:8686", "host:port where serve listens")
	f.StringVar(&a.URL, "url", "", "how people reach the console (default http://LISTEN)")
	f.StringArrayVar(&a.Persons, "person", nil, "somebody who decides, as id:Name:SlackID (repeat; all are in the group secops)")
	f.StringVar(&a.Lead, "lead", "", "id of the person in the group secops_lead (default: the first one)")
	f.StringVar(&a.SlackChannel, "slack-channel", "", "id of the responders' channel")
	f.StringVar(&a.SlackTeam, "slack-team", "", "id of the workspace")
	f.StringVar(&a.SlackApp, "slack-app", "", "id of the app")
	f.StringVar(&a.SlackURL, "slack-url", "", "another address of Slack's API, ending in /api/")
	f.BoolVar(&a.SlackRooms, "slack-rooms", false, "every incident gets a Slack channel of its own, which takes one scope more")
	f.BoolVar(&a.SlackHTTP, "slack-http", false, "Slack reaches us over HTTP at --url, in place of Socket Mode")
	f.StringVar(&a.GeminiProject, "gemini-project", "", "Google Cloud project that holds the keys")
	f.StringVar(&a.GeminiAccount, "gemini-account", "prod", "our name for that project")
	f.StringVar(&a.GeminiCredentials, "gemini-credentials", "", "file with Google credentials (default: application default credentials)")
	f.StringVar(&a.GoogleEndpoint, "google-endpoint", "", "another address of Google's APIs; a token from TOURNIQUET_GOOGLE_TOKEN is used there")
	f.StringVar(&a.OpenAIAccount, "openai-account", "", "our name for an OpenAI organisation")
	f.StringVar(&a.OpenAIProject, "openai-project", "", "its project that holds the keys, as proj_…")
	f.StringVar(&a.OpenAIURL, "openai-url", "", "another address of OpenAI's API")
	f.StringVar(&a.GitHubOwner, "github-owner", "", "owner of the repository where incidents are opened")
	f.StringVar(&a.GitHubRepo, "github-repo", "", "that repository")
	f.StringVar(&a.GitHubURL, "github-url", "", "another address of GitHub's API, as https://HOST/api/v3/")
	f.BoolVar(&a.Force, "force", false, "replace files that exist")
	return c
}

func (sh *shell) init(a answers) error {
	if isTerminal(sh.In) && !isNull(sh.In) {
		sh.interview(&a)
	}
	plan, err := planOf(a)
	if err != nil {
		return err
	}
	for _, f := range plan.Files {
		_, err := os.Lstat(f.Path)
		switch {
		case err == nil && !a.Force:
			return misuse("%q exists; init replaces it only with --force", f.Path)
		case err != nil && !errors.Is(err, fs.ErrNotExist):
			return fmt.Errorf("%q cannot be looked at: %w", f.Path, err)
		}
	}
	if err := os.MkdirAll(a.Dir, 0o700); err != nil {
		return fmt.Errorf("the folder %q cannot be made: %w", a.Dir, err)
	}
	for _, f := range plan.Files {
		if err := writeWhole(f.Path, f.Text, a.Force); err != nil {
			return err
		}
	}
	if sh.JSON {
		return sh.printJSON(plan)
	}
	return sh.sayPlan(plan)
}

// isNull tells the null device, which is a character device as a terminal is.
func isNull(in io.Reader) bool {
	f, ok := in.(*os.File)
	if !ok {
		return false
	}
	given, err := f.Stat()
	null, err2 := os.Stat(os.DevNull)
	return err == nil && err2 == nil && os.SameFile(given, null)
}

// interview asks for what no flag said. An empty answer leaves a part out.
func (sh *shell) interview(a *answers) {
	in := bufio.NewScanner(io.LimitReader(sh.In, 64<<10))
	ask := func(to *string, question string) {
		if *to != "" {
			return
		}
		_, _ = fmt.Fprintf(sh.Talk, "%s (empty: none): ", question)
		if in.Scan() {
			*to = strings.TrimSpace(in.Text())
		}
	}
	for given := len(a.Persons) > 0; !given; {
		next := ""
		if ask(&next, "Somebody who decides, as id:Name:SlackID"); next == "" {
			break
		}
		a.Persons = append(a.Persons, next)
	}
	ask(&a.SlackChannel, "Slack: id of the responders' channel")
	if a.SlackChannel != "" {
		ask(&a.SlackTeam, "Slack: id of the workspace")
		ask(&a.SlackApp, "Slack: id of the app")
	}
	ask(&a.GeminiProject, "Gemini: Google Cloud project that holds the keys")
	ask(&a.GitHubOwner, "GitHub: owner of the repository where incidents are opened")
	if a.GitHubOwner != "" {
		ask(&a.GitHubRepo, "GitHub: that repository")
	}
}

// writeWhole writes a file that only its owner reads, whole or not at all.
func writeWhole(path, text string, replace bool) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*") // made with 0600
	if err != nil {
		return fmt.Errorf("%q cannot be written: %w", path, err)
	}
	defer func() { _ = os.Remove(f.Name()) }() // gone already when all went well
	_, err = f.WriteString(text)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("%q cannot be written: %w", path, err)
	}
	put := os.Link // refuses to replace
	if replace {
		put = os.Rename
	}
	if err := put(f.Name(), path); err != nil {
		return fmt.Errorf("%q cannot be written: %w", path, err)
	}
	return nil
}

func (sh *shell) sayPlan(p *plan) error {
	for _, f := range p.Files {
		if err := sh.say("wrote %s", f.Path); err != nil {
			return err
		}
	}
	text := "\nNext:\n"
	for i, step := range p.Next {
		text += fmt.Sprintf("  %d. %s\n", i+1, step)
		if i == 0 {
			for _, v := range p.Environment {
				text += fmt.Sprintf("       %-34s %s\n", v.Name, v.What)
			}
		}
	}
	return sh.say("%s", strings.TrimSuffix(text, "\n"))
}

// checkPlan refuses to write what would not load.
func checkPlan(text string) (*config.Config, error) {
	c, err := config.Parse([]byte(text))
	if err != nil {
		return nil, misuse("the configuration would not load: %w", err)
	}
	return c, nil
}
