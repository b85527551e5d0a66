package main

import (
	"path/filepath"
	"strings"
	"testing"
)

func TestSigningSomebodyOutNeedsSomebodyWhoIsListed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if r := command(t, nil, fullInit(dir)...); r.code != exitGood {
		t.Fatal(r.talk)
	}
	env := map[string]string{"TOURNIQUET_CONFIG": filepath.Join(dir, "tourniquet.yaml")}
	if r := command(t, env, "person", "sign-out", "ana", "--by", "bo", "--reason", "left"); r.code != exitGood || !strings.Contains(r.out, `0 sessions of "ana" ended`) {
		t.Errorf("exit %d: %s%s", r.code, r.out, r.talk)
	}
	for want, args := range map[string][]string{
		"say who ends":       {"person", "sign-out", "ana"},
		"not listed":         {"person", "sign-out", "ana", "--by", "mallory"},
		"takes one argument": {"person", "sign-out", "--by", "bo"},
	} {
		if r := command(t, env, args...); r.code != exitMisuse || r.out != "" || !strings.Contains(r.talk, want) {
			t.Errorf("%q: exit %d: %s%s", want, r.code, r.out, r.talk)
		}
	}
}
