package main

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tourniquet-ir/tourniquet/internal/report"
	"github.com/tourniquet-ir/tourniquet/internal/report/reporttest"
	"github.com/tourniquet-ir/tourniquet/internal/seal"
)

// keyFile is a file of public keys.
func keyFile(t *testing.T, keys map[string]string) string {
	t.Helper()
	body, err := json.Marshal(keys)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "keys.json")
	if err := os.WriteFile(path, body, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func exported(t *testing.T, o office) string {
	t.Helper()
	bundle := filepath.Join(t.TempDir(), "bundle.zip")
	if got := command(t, o.env, "evidence", "export", reporttest.RunID, "--out", bundle); got.code != exitGood || got.out != bundle+"\n" {
		t.Fatalf("exit %d: %s%s", got.code, got.out, got.talk)
	}
	return bundle
}

func TestAnExportedBundleVerifiesOfflineWithPublicKeysOnly(t *testing.T) {
	t.Parallel()
	o := opened(t)
	bundle, keys := exported(t, o), keyFile(t, o.signer.PublicKeys())
	for _, flag := range []string{"--key", "--keys"} {
		got := command(t, nil, "evidence", "verify", bundle, flag, keys)
		if got.code != exitGood || !strings.Contains(got.out, reporttest.RunID) || !strings.Contains(got.out, o.signer.ID) {
			t.Errorf("%s: exit %d: %s%s", flag, got.code, got.out, got.talk)
		}
	}
	var said struct {
		Verified bool
		Run      string
		Entries  int
	}
	got := command(t, nil, "evidence", "verify", bundle, "--key", keys, "-o", "json")
	if json.Unmarshal([]byte(got.out), &said) != nil || !said.Verified || said.Run != reporttest.RunID || said.Entries == 0 {
		t.Errorf("printed %s", got.out)
	}
}

func TestARedactedExportVerifiesAndBothExportsAreOnTheRecord(t *testing.T) {
	t.Parallel()
	o := opened(t)
	exported(t, o)
	keys, bundle := keyFile(t, o.signer.PublicKeys()), filepath.Join(t.TempDir(), "redacted.zip")
	if got := command(t, o.env, "evidence", "export", reporttest.RunID, "--out", bundle, "--keep", "*.yaml"); got.code != exitMisuse {
		t.Errorf("keep without redact: exit %d", got.code)
	}
	if got := command(t, o.env, "evidence", "export", reporttest.RunID, "--out", bundle, "--redact", "--keep", "*.yaml"); got.code != exitGood {
		t.Fatalf("exit %d: %s%s", got.code, got.out, got.talk)
	}
	var said struct {
		Verified, Redacted        bool
		Withheld, Erased, Entries int
		Files                     int
	}
	got := command(t, nil, "evidence", "verify", bundle, "--key", keys, "-o", "json")
	if json.Unmarshal([]byte(got.out), &said) != nil || !said.Verified || !said.Redacted || said.Withheld == 0 || said.Files != 2 || said.Erased != said.Entries {
		t.Errorf("printed %s", got.out)
	}
	rows, err := o.db.Ledger(t.Context(), reporttest.RunID)
	if err != nil {
		t.Fatal(err)
	}
	var bodies []string
	for _, r := range rows {
		if r.Kind == report.KindExported && r.Actor == "marek" {
			bodies = append(bodies, string(r.Body))
		}
	}
	if want := `{"redacted":false,"surface":"cli"} {"keep":["*.yaml"],"redacted":true,"surface":"cli"}`; strings.Join(bodies, " ") != want {
		t.Errorf("the ledger says %q", bodies)
	}
}

func TestEveryFaultOfABundleIsNamed(t *testing.T) {
	t.Parallel()
	o := opened(t)
	bundle, keys := exported(t, o), keyFile(t, o.signer.PublicKeys())
	rewrite(t, bundle, func(name string, body []byte) (string, []byte) {
		switch name {
		case "run.json":
			return name, append(body, ' ')
		case "steps.json":
			return "other.json", body
		}
		return name, body
	})
	got := command(t, nil, "evidence", "verify", bundle, "--key", keys)
	if got.code != exitFailed || !strings.Contains(got.talk, "must not be trusted") {
		t.Errorf("exit %d, said %q", got.code, got.talk)
	}
	for _, want := range []string{"changed", "run.json", "removed", "steps.json", "added", "other.json"} {
		if !strings.Contains(got.out, want) {
			t.Errorf("%q is not named in\n%s", want, got.out)
		}
	}
	var said struct {
		Verified bool
		Faults   []badPart
	}
	got = command(t, nil, "evidence", "verify", bundle, "--key", keys, "-o", "json")
	if json.Unmarshal([]byte(got.out), &said) != nil || said.Verified || len(said.Faults) != 3 || got.code != exitFailed {
		t.Errorf("exit %d, printed %s", got.code, got.out)
	}
}

// rewrite changes the files of a zip.
func rewrite(t *testing.T, path string, change func(string, []byte) (string, []byte)) {
	t.Helper()
	old, err := zip.OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, f := range old.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		name, body := change(f.Name, body)
		to, err := w.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := to.Write(body); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	_ = old.Close()
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestABundleOfAnotherInstallationIsRefused(t *testing.T) {
	t.Parallel()
	other, err := seal.LoadOrCreateSigner(filepath.Join(t.TempDir(), "signing.json"))
	if err != nil {
		t.Fatal(err)
	}
	got := command(t, nil, "evidence", "verify", exported(t, opened(t)), "--key", keyFile(t, other.PublicKeys()))
	if got.code != exitFailed || !strings.Contains(got.out, "unknown_key") {
		t.Errorf("exit %d: %s%s", got.code, got.out, got.talk)
	}
}

func TestAFailedExportLeavesNoFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	got := command(t, opened(t).env, "evidence", "export", "run-none", "--out", filepath.Join(dir, "bundle.zip"))
	left, err := os.ReadDir(dir)
	if got.code != exitFailed || err != nil || len(left) != 0 {
		t.Errorf("exit %d, left %v (%v)", got.code, left, err)
	}
}

func TestPublicKeysAreReadAndNeverMade(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "tourniquet.yaml")
	if err := os.WriteFile(file, []byte("server: { data_dir: data }\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "data"), 0o700); err != nil {
		t.Fatal(err)
	}
	env, signing := map[string]string{"TOURNIQUET_CONFIG": file}, filepath.Join(dir, "data", "signing.json")
	if got := command(t, env, "evidence", "keys"); got.code != exitFailed || !strings.Contains(got.talk, signing) {
		t.Errorf("exit %d, said %q", got.code, got.talk)
	}
	if _, err := os.Stat(signing); err == nil {
		t.Fatal("asking for keys made a signing key")
	}
	signer, err := seal.LoadOrCreateSigner(signing)
	if err != nil {
		t.Fatal(err)
	}
	var keys map[string]string
	got := command(t, env, "evidence", "keys")
	if json.Unmarshal([]byte(got.out), &keys) != nil || len(keys) != 1 || keys[signer.ID] != signer.PublicKeys()[signer.ID] {
		t.Errorf("printed %q", got.out)
	}
}
