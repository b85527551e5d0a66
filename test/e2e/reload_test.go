package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// served is what GET /v1/playbooks says.
type served struct {
	Items   []struct{ ID, Title, Digest string }
	Trouble *struct {
		Error  string
		Faults []struct {
			File         string
			Line, Column int
		}
	}
}

func (h *product) playbook(t *testing.T, id string) (title, digest string, trouble string) {
	t.Helper()
	var all served
	h.read(t, "/v1/playbooks", &all)
	for _, p := range all.Items {
		if p.ID == id {
			title, digest = p.Title, p.Digest
		}
	}
	if all.Trouble != nil {
		trouble = all.Trouble.Error
	}
	return title, digest, trouble
}

func TestAnEditedPlaybookServesTheNextRunAndABrokenOneNobody(t *testing.T) {
	t.Parallel()
	program := built(t, shop.honest)
	turn(t)
	s, h := openStage(t, program)
	books := filepath.Join(h.dir, "playbooks")
	source, err := os.ReadFile("../../playbooks/library/llmjacking.yaml")
	if err != nil {
		t.Fatal(err)
	}
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(books, "llmjacking.yaml"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(books, 0o700); err != nil {
		t.Fatal(err)
	}
	write(string(source))
	config, err := os.ReadFile(h.config())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(h.config(), append(config, "\nplaybooks: { dir: playbooks }\n"...), 0o600); err != nil {
		t.Fatal(err)
	}
	h.start(t)
	h.signIn(t)
	_, before, _ := h.playbook(t, "llmjacking")
	h.webhook(t, s.GitHubURL, s.AlertNumber)
	var open runRow
	eventually(t, 20*time.Second, func() (err error) { open, err = h.onlyRun(t); return err })

	write(strings.Replace(string(source), "title: A stolen AI API key is being spent", "title: Edited", 1))
	eventually(t, 20*time.Second, func() error {
		if title, digest, _ := h.playbook(t, "llmjacking"); title != "Edited" || digest == before {
			return fmt.Errorf("in force is %q", title)
		}
		return nil
	})
	write(strings.Replace(string(source), "uses: key.contain", "uses: key.contian", 1))
	eventually(t, 20*time.Second, func() error {
		title, _, trouble := h.playbook(t, "llmjacking")
		if title != "Edited" || !strings.Contains(trouble, "llmjacking.yaml:19:19: ") {
			return fmt.Errorf("in force is %q, the trouble is %q", title, trouble)
		}
		return nil
	})
	if !strings.Contains(h.serve.err.String(), "llmjacking.yaml:19:19: ") {
		t.Errorf("the log does not say where the broken edit is:\n%s", h.serve.err.String())
	}

	replace := s.signReplacement(t)
	s.signRevocation(t, replace)
	if run := h.finished(t, 40*time.Second); run.ID != open.ID || run.Outcome != "contained" {
		t.Errorf("the open run became %+v", run)
	}
	var kept struct{ Run struct{ Digest string } }
	if h.read(t, "/v1/runs/"+open.ID, &kept); kept.Run.Digest != before {
		t.Errorf("the open run says that it ran %s, and it was started with %s", kept.Run.Digest, before)
	}
}
