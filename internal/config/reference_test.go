package config

import (
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"
)

func TestAReferenceToAStoreIsTheAddressOfOneSecret(t *testing.T) {
	t.Parallel()
	for ref, want := range map[Secret]map[string]string{
		"vault://secret/tourniquet/prod#slack":                  {"mount": "secret", "path": "tourniquet/prod", "field": "slack"},
		"vault://secret/tourniquet?namespace=team-a#slack":      {"mount": "secret", "path": "tourniquet", "field": "slack", "namespace": "team-a"},
		"awssm://tourniquet/prod":                               {"name": "tourniquet/prod", "field": ""},
		"awssm://tourniquet/prod?region=eu-central-1#slack":     {"name": "tourniquet/prod", "field": "slack", "region": "eu-central-1"},
		"gcpsm://projects/acme/secrets/tourniquet":              {"project": "acme", "name": "tourniquet", "version": "latest", "field": ""},
		"gcpsm://projects/acme/secrets/tourniquet/versions/7#s": {"project": "acme", "name": "tourniquet", "version": "7", "field": "s"},
		"awssm://arn:aws:secretsmanager:eu-west-1:123456789012:secret:tourniquet-AbCdEf#slack": {
			"name": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:tourniquet-AbCdEf", "region": "eu-west-1", "field": "slack"},
	} {
		got, err := ref.Resolve(Places{Stores: func(r Reference) (string, error) {
			if scheme, _, _ := strings.Cut(string(ref), ":"); r.Store != scheme || !maps.Equal(r.Address, want) {
				t.Errorf("%s leads to %+v", ref, r)
			}
			return "value\n", nil
		}})
		if got != "value" || err != nil {
			t.Errorf("%s: %q, %v", ref, got, err)
		}
	}
}

func TestAReferenceThatLeadsNowhereIsRefusedByItsFormWithoutRepeatingIt(t *testing.T) {
	t.Parallel()
	for _, rest := range []string{
		"vault://", "vault://secret", "vault://secret/x", "vault://secret/x#", "vault://secret/../sys#f", "vault:///x#f", "vault://secret//x#f", "vault://secret/x?token=1#f", "vault://se cret/x#f", "vault://s%2e/x#f",
		"awssm://", "awssm://a b", "awssm://arn:aws:iam::1:user/x", "awssm://name?region=#f#g", "awssm://name?profile=x", "awssm://name?region=a&region=b",
		"gcpsm://projects/p", "gcpsm://projects/p/secrets/", "gcpsm://projects/p/topics/x", "gcpsm://projects/p/secrets/s/versions", "gcpsm://projects/p/secrets/s?x=1",
		"vault://" + strings.Repeat("x/", 2000) + "#f",
	} {
		err := Secret(rest).check()
		if err == nil || !strings.Contains(err.Error(), "looks like") {
			t.Errorf("%s: %v", rest, err)
			continue
		}
		if _, mine, _ := strings.Cut(rest, "://"); len(mine) > 12 && strings.Contains(err.Error(), mine) {
			t.Errorf("%s is repeated: %v", rest, err)
		}
	}
}

func TestWhatAStoreGivesIsBoundedAndItsRefusalNamesTheReference(t *testing.T) {
	t.Parallel()
	const ref = Secret("vault://secret/x#f")
	refused := errors.New("Vault answered 403")
	for want, give := range map[string]func(Reference) (string, error){
		"is empty":           func(Reference) (string, error) { return "\n", nil },
		"is larger than":     func(Reference) (string, error) { return strings.Repeat("x", maxSecret+1), nil },
		"Vault answered 403": func(Reference) (string, error) { return "", refused },
		"only env://":        nil,
	} {
		if _, err := ref.Resolve(Places{Stores: give}); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), string(ref)) {
			t.Errorf("want %q: %v", want, err)
		}
	}
}

func TestWhatOpensAStoreCannotLieInOneAndAVaultMustBeNamed(t *testing.T) {
	t.Parallel()
	for want, text := range map[string]string{
		"references.vault.token: what opens":                   "references: { vault: { address: \"https://v.example\", token: \"vault://secret/x#f\" } }",
		"secret_stores.vault.token: what opens":                "secret_stores: { vault: { address: \"https://v.example\", token: \"awssm://x\" } }",
		"neither references.vault nor secret_stores.vault":     "slack: { token: \"vault://secret/x#f\" }",
		"references.vault: needs an address":                   "references: { vault: { address: \"https://v.example\" } }",
		"references.aws: give both":                            "references: { aws: { access_key_id: A } }",
		"references.gcp.endpoint":                              "references: { gcp: { endpoint: nowhere } }",
		"slack.token: a reference to this store looks like va": "slack: { token: \"vault://secret\" }",
	} {
		if _, err := Parse([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
	for _, section := range []string{"references", "secret_stores"} {
		good := fmt.Sprintf("%s: { vault: { address: \"https://v.example\", token: \"env://T\" } }\nslack: { token: \"vault://secret/x#f\" }", section)
		if c, err := Parse([]byte(good)); err != nil || c.Stores().Vault.Address != "https://v.example" {
			t.Errorf("%s: %v", section, err)
		}
	}
}

func TestAnOriginIsWhatABrowserSendsAndNothingThatCouldBeChangedOnItsWay(t *testing.T) {
	t.Parallel()
	for _, good := range []string{"https://temporal.example.com", "https://temporal.example.com:8443", "http://localhost:8233", "http://127.0.0.1:8080", "http://[::1]:1"} {
		if !isOrigin(good) {
			t.Errorf("%s is refused", good)
		}
	}
	for _, bad := range []string{"", "*", "null", "https://*.example.com", "https://temporal.example.com/", "https://Temporal.example.com", "http://temporal.example.com", "https://u@x.example", "https://x.example?a", "ftp://x.example", "temporal.example.com"} {
		if isOrigin(bad) {
			t.Errorf("%s is taken", bad)
		}
	}
}

func FuzzReference(f *testing.F) {
	f.Add("vault://secret/a/b?namespace=x#f")
	f.Add("awssm://arn:aws:secretsmanager:eu-west-1:1:secret:x#f")
	f.Add("gcpsm://projects/p/secrets/s/versions/1#f")
	f.Fuzz(func(t *testing.T, text string) {
		r, err := Secret(text).reference()
		if err != nil {
			return
		}
		for name, v := range r.Address {
			if strings.Contains("/"+v+"/", "/../") && name != "field" && r.Store == "vault" {
				t.Errorf("%q climbs: %v", text, r)
			}
		}
	})
}
