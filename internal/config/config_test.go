package config

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

const example = "../../tourniquet.example.yaml"

func TestTheExampleShowsEverySectionAndLoads(t *testing.T) {
	t.Parallel()
	c, err := Load(example)
	if err != nil {
		t.Fatal(err)
	}
	body, err := os.ReadFile(example)
	if err != nil {
		t.Fatal(err)
	}
	var doc map[string]any
	if err := yaml.Unmarshal(body, &doc); err != nil {
		t.Fatal(err)
	}
	shows(t, "", reflect.TypeOf(*c), doc)
}

// shows walks the type beside the example: every key that the type knows must stand there.
func shows(t *testing.T, name string, typ reflect.Type, shown any) {
	t.Helper()
	switch typ.Kind() {
	case reflect.Pointer:
		shows(t, name, typ.Elem(), shown)
	case reflect.Slice, reflect.Map:
		if elem := typ.Elem(); elem.Kind() != reflect.Struct || strings.HasSuffix(name, "groups") || elem.Name() == "Seat" || elem.Name() == "Source" {
			return // the alternatives of a group, a seat or a source stand in different entries
		}
		list, _ := shown.([]any)
		if len(list) == 0 {
			t.Errorf("the example shows no entry of %q", name)
			return
		}
		shows(t, name+"[0]", typ.Elem(), list[0])
	case reflect.Struct:
		m, ok := shown.(map[string]any)
		if !ok {
			t.Errorf("the example does not show %q", name)
			return
		}
		for i := range typ.NumField() {
			key, _, _ := strings.Cut(typ.Field(i).Tag.Get("yaml"), ",")
			if key == "" {
				key = strings.ToLower(typ.Field(i).Name)
			}
			if key == "-" {
				continue
			}
			value, ok := m[key]
			if !ok {
				t.Errorf("the example does not show the key %q of %q", key, name)
				continue
			}
			shows(t, strings.TrimPrefix(name+"."+key, "."), typ.Field(i).Type, value)
		}
	}
}

func TestEveryFaultIsASentenceWithItsPlace(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ text, want string }{
		"an unknown key":               {"mode: observe\nservr: {}\n", "line 2"},
		"an unknown key inside":        {"server:\n  listne: x\n", "listne"},
		"another mode":                 {"mode: yolo\n", `mode: "yolo" is neither observe nor enforce`},
		"no port":                      {"server: { listen: localhost }\n", `server.listen: "localhost" is not host:port`},
		"another engine":               {"temporal: { mode: cloud }\n", `temporal.mode: "cloud" is neither`},
		"an external engine nowhere":   {"temporal: { mode: external }\n", "temporal.address"},
		"another database":             {"database: { driver: oracle }\n", `database.driver: "oracle"`},
		"a source without proof":       {"sources: { github: { trust: act } }\n", "sources.github: a source needs a secret, a token"},
		"a source of unknown trust":    {"sources: { github: { trust: maybe, token: \"env://T\" } }\n", `sources.github.trust: "maybe"`},
		"a person without id":          {"people: [{ name: Ana }]\n", "people[0]: needs an id"},
		"an address that is none":      {"github: { base_url: api.github.com }\n", `github.base_url: "api.github.com" is not an address`},
		"a store that is not built in": {"github: { token: \"keychain://x\" }\n", `github.token: references of the form "keychain://" are not known`},
		"two documents":                {"mode: observe\n---\nmode: enforce\n", "more than one document"},
		"enforce without people":       {"mode: enforce\n", "policy.final.seats is missing"},
		"no YAML":                      {"mode: [observe\n", "line"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := Parse([]byte(c.text))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("the fault does not say %q: %v", c.want, err)
			}
		})
	}
}

func TestAllFaultsAreReportedAtOnce(t *testing.T) {
	t.Parallel()
	_, err := Parse([]byte("mode: yolo\ndatabase: { driver: oracle }\nsources: { a: { trust: act } }\n"))
	for _, want := range []string{"mode:", "database.driver:", "sources.a:"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is missing in: %v", want, err)
		}
	}
}

func TestASecretThatWasWrittenDownIsRefusedAndNotRepeated(t *testing.T) {
	t.Parallel()
	value := strings.Repeat("zq", 5) + strings.Repeat("7", 12)
	for name, text := range map[string]string{
		"github.token":          "github: { token: %s }",
		"slack.signing_secret":  "slack: { signing_secret: %s }",
		"sources.generic.token": "sources: { generic: { trust: tell, token: %s } }",
		"temporal.api_key":      "temporal: { api_key: %s }",
		"notify.mail.password":  "notify: { mail: { password: %s } }",
		"pagerduty.routing_key": "notify: { pagerduty: { routing_key: %s } }",
		"gemini.access_token":   "providers: { gemini: [{ access_token: %s }] }",
		"openai.admin_key":      "providers: { openai: [{ admin_key: %s }] }",
	} {
		_, err := Parse([]byte(strings.ReplaceAll(text, "%s", value)))
		if err == nil || !strings.Contains(err.Error(), name) || !strings.Contains(err.Error(), "never the secret itself") {
			t.Errorf("%s: the fault does not name it: %v", name, err)
			continue
		}
		if strings.Contains(err.Error(), value[:6]) {
			t.Errorf("%s: the fault repeats the secret", name)
		}
	}
}

func TestAMissingFileOffersInit(t *testing.T) {
	t.Parallel()
	_, err := Load(filepath.Join(t.TempDir(), "tourniquet.yaml"))
	if err == nil || !strings.Contains(err.Error(), "tourniquet init") {
		t.Errorf("no way out is named: %v", err)
	}
}

func TestAnEmptyFileIsANewInstallation(t *testing.T) {
	t.Parallel()
	c, err := Parse(nil)
	if err != nil {
		t.Fatal(err)
	}
	if c.Mode != "observe" || c.Temporal.Mode != "embedded" || c.URL() != "http://127.0.0.1:8686" {
		t.Errorf("defaults: %+v", c)
	}
}

func TestPathsStartAtTheFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "tourniquet.yaml")
	if err := os.WriteFile(path, []byte("mode: observe\nserver: { listen: \"127.0.0.1:1\", url: \"https://x.example/\" }\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if got := c.At("inventory.yaml"); got != filepath.Join(filepath.Dir(path), "inventory.yaml") {
		t.Errorf("a relative path became %q", got)
	}
	if c.At("/etc/x") != "/etc/x" || c.At("") != "" || c.URL() != "https://x.example" {
		t.Errorf("%q %q %q", c.At("/etc/x"), c.At(""), c.URL())
	}
}
