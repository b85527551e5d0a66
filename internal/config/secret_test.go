package config

import (
	"crypto/rand"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestASecretComesFromTheEnvironmentOrAFile(t *testing.T) {
	t.Parallel()
	value := rand.Text()
	env := func(name string) (string, bool) {
		if name == "T" {
			return value, true
		}
		return "", name == "EMPTY"
	}
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte(value+"\r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, ref := range []Secret{"env://T", Secret("file://" + file)} {
		if got, err := ref.Resolve(Places{Env: env}); err != nil || got != value {
			t.Errorf("%s gives something else (%v)", ref, err)
		}
	}
	if got, err := Secret("").Resolve(Places{Env: env}); got != "" || err != nil {
		t.Errorf("no reference gives %q, %v", got, err)
	}
	for ref, want := range map[Secret]string{
		"env://GONE": "GONE is not set", "env://EMPTY": "EMPTY is not set",
		Secret("file://" + file + ".gone"): "cannot be read",
	} {
		if _, err := ref.Resolve(Places{Env: env}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", ref, err)
		}
	}
}

func TestAnEmptyOrEndlessSecretFileIsRefused(t *testing.T) {
	t.Parallel()
	none := func(string) (string, bool) { return "", false }
	for want, body := range map[string]string{"is empty": "\n", "is larger": strings.Repeat("x", maxSecret+1)} {
		file := filepath.Join(t.TempDir(), "secret")
		if err := os.WriteFile(file, []byte(body), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Secret("file://" + file).Resolve(Places{Env: none}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", want, err)
		}
	}
}
