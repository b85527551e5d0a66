package main

import (
	"bufio"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

//go:embed templates/*.tmpl
var templates embed.FS

// wish is what a new playbook should do.
type wish struct {
	ID, Title, Owner, Group string
	Kinds                   []string
	Count                   int
	Ask, Replace, Force     bool
	Dir                     string
}

func (sh *shell) newPlaybookCmd() *cobra.Command {
	w := wish{}
	c := &cobra.Command{Use: "new ID", Short: "Write a new playbook and its test, from flags or by asking", Args: one("an id, as leaked-key"),
		Long: "Writes ID.yaml and ID_test.yaml: contain at once, keep evidence, let people sign for the deletion, prove it. In a terminal,\n" +
			"what no flag says is asked. Both files are good as they are: lint is silent and the tests reach every step.",
		RunE: func(cmd *cobra.Command, args []string) error {
			w.ID = args[0]
			if isTerminal(sh.In) && !isNull(sh.In) {
				sh.askWish(&w, cmd.Flags().Changed)
			}
			return sh.newPlaybook(w)
		}}
	f := c.Flags()
	f.StringVar(&w.Title, "title", "A stolen AI API key is being spent", "what happened, in one line")
	f.StringVar(&w.Owner, "owner", "", "who looks after the playbook")
	f.StringSliceVar(&w.Kinds, "on", []string{incident.KindKeyLeaked, incident.KindUsageAnomaly}, "kinds of alerts that start it")
	f.StringVar(&w.Group, "signers", "secops", "group that signs and answers")
	f.IntVar(&w.Count, "count", 2, "how many of them sign")
	f.BoolVar(&w.Ask, "ask", true, "ask whether it is a false alarm before anything final")
	f.BoolVar(&w.Replace, "replace", true, "give dependents a new key before the old one is deleted")
	f.StringVar(&w.Dir, "dir", ".", "folder to write into")
	f.BoolVar(&w.Force, "force", false, "replace files that exist")
	return c
}

// askWish asks for what no flag said; an empty answer keeps what is offered.
func (sh *shell) askWish(w *wish, given func(string) bool) {
	in := bufio.NewScanner(io.LimitReader(sh.In, 64<<10))
	ask := func(flag, question, offered string) string {
		if given(flag) {
			return offered
		}
		_, _ = fmt.Fprintf(sh.Talk, "%s [%s]: ", question, offered)
		if in.Scan() {
			if text := strings.TrimSpace(in.Text()); text != "" {
				return text
			}
		}
		return offered
	}
	yes := func(flag, question string, offered bool) bool {
		word := map[bool]string{true: "yes", false: "no"}[offered]
		return strings.HasPrefix(strings.ToLower(ask(flag, question, word)), "y")
	}
	w.Title = ask("title", "What happened, in one line", w.Title)
	w.Owner = ask("owner", "Who looks after the playbook", w.Owner)
	w.Kinds = strings.Split(strings.ReplaceAll(ask("on", "Which kinds of alerts start it", strings.Join(w.Kinds, ",")), " ", ""), ",")
	w.Group = ask("signers", "Which group signs", w.Group)
	if n, err := strconv.Atoi(ask("count", "How many of them", strconv.Itoa(w.Count))); err == nil {
		w.Count = n
	}
	w.Ask = yes("ask", "Ask whether it is a false alarm", w.Ask)
	w.Replace = yes("replace", "Give dependents a new key", w.Replace)
}

// check says what is wrong with a wish before anything is written.
func (w wish) check() error {
	known := []string{incident.KindKeyLeaked, incident.KindUsageAnomaly, incident.KindSpend}
	for _, k := range w.Kinds {
		if !slices.Contains(known, k) {
			return misuse("%q is no kind of alert that names a key; there are %s", k, strings.Join(known, ", "))
		}
	}
	switch {
	case len(w.Kinds) == 0:
		return misuse("say with --on which kinds of alerts start it: %s", strings.Join(known, ", "))
	case w.Count < 2 || w.Count > 20:
		return misuse("--count is from 2 to 20: policy lets nobody delete a key alone")
	case strings.TrimSpace(w.Title) == "":
		return misuse("a playbook needs a title")
	}
	return nil
}

func (sh *shell) newPlaybook(w wish) error {
	if err := w.check(); err != nil {
		return err
	}
	written := []string{filepath.Join(w.Dir, w.ID+".yaml"), filepath.Join(w.Dir, w.ID+"_test.yaml")}
	var texts []string
	for _, name := range []string{"playbook.yaml.tmpl", "playbook_test.yaml.tmpl"} {
		text, err := w.fill(name)
		if err != nil {
			return err
		}
		texts = append(texts, text)
	}
	if err := sh.good(written[0], texts[0]); err != nil {
		return err
	}
	for _, file := range written {
		if _, err := os.Lstat(file); err == nil && !w.Force {
			return misuse("%q exists; new replaces it only with --force", file)
		} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return misuse("%q cannot be looked at: %w", file, err)
		}
	}
	for i, file := range written {
		if err := writeWhole(file, texts[i], w.Force); err != nil {
			return err
		}
	}
	if sh.JSON {
		return sh.printJSON(map[string][]string{"files": written})
	}
	return sh.say("wrote %s\nwrote %s\n\nNext:\n  tourniquet playbook show %s\n  tourniquet playbook test %s", written[0], written[1], written[0], written[1])
}
