package packaging

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/types"
	"go.yaml.in/yaml/v3"

	"github.com/tourniquet-ir/tourniquet/internal/config"
)

const top = "../.."

func text(t *testing.T, name string) string {
	t.Helper()
	body, err := os.ReadFile(filepath.Join(top, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// composed is docker-compose.yml as Compose itself understands it: a key that it does not know is an error.
func composed(t *testing.T) *types.Project {
	t.Helper()
	abs, err := filepath.Abs(top)
	if err != nil {
		t.Fatal(err)
	}
	p, err := loader.LoadWithContext(t.Context(), types.ConfigDetails{
		WorkingDir: abs, ConfigFiles: []types.ConfigFile{{Filename: filepath.Join(abs, "docker-compose.yml")}}, Environment: types.Mapping{},
	}, func(o *loader.Options) { o.SetProjectName("tourniquet", true) })
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestComposeIsValidAndHoldsEveryPart(t *testing.T) {
	t.Parallel()
	p := composed(t)
	for _, name := range []string{"postgresql", "temporal", "temporal-ui", "api", "worker-1", "worker-2", "prometheus"} {
		s, err := p.GetService(name)
		if err != nil {
			t.Errorf("there is no service %s", name)
			continue
		}
		if s.HealthCheck == nil || len(s.HealthCheck.Test) == 0 || s.Restart != "unless-stopped" {
			t.Errorf("%s has no health check, or does not come back", name)
		}
		if _, tag, ok := strings.Cut(s.Image, ":"); !ok || tag == "latest" {
			t.Errorf("%s uses the image %q, which may be another one tomorrow", name, s.Image)
		}
		for _, port := range s.Ports {
			if port.HostIP != "127.0.0.1" {
				t.Errorf("%s publishes port %s to everybody", name, port.Published)
			}
		}
		for _, v := range s.Volumes {
			if v.Type != types.VolumeTypeBind || strings.HasPrefix(filepath.Base(v.Source), "tourniquet.yaml") || filepath.Base(v.Source) == "inventory.yaml" {
				continue // the operator writes these two
			}
			if _, err := os.Stat(v.Source); err != nil {
				t.Errorf("%s mounts %s, which is not shipped", name, v.Source)
			}
		}
	}
	if !p.Networks["inside"].Internal {
		t.Error("the network of the databases and the workflow engine is reachable from outside")
	}
}

func TestComposeHoldsNoPasswordAndTheSigningKeyIsWithTheAPIAlone(t *testing.T) {
	t.Parallel()
	p := composed(t)
	for name, s := range p.Secrets {
		if s.File == "" || s.Environment != "" || s.Content != "" || !strings.Contains(s.File, "/secrets/") {
			t.Errorf("the secret %s is no file below secrets/", name)
		}
	}
	word := regexp.MustCompile(`(?i)(password|passwd|pwd|secret|token|key)`)
	for _, s := range p.Services {
		for name, value := range s.Environment {
			if word.MatchString(name) && !strings.HasSuffix(name, "_FILE") {
				t.Errorf("%s gets %s=%v", s.Name, name, value)
			}
		}
		has := slices.ContainsFunc(s.Secrets, func(c types.ServiceSecretConfig) bool { return c.Source == "signing_key" })
		if has != (s.Name == "api") {
			t.Errorf("%s has the signing key: %v", s.Name, has)
		}
		door := slices.ContainsFunc(s.Secrets, func(c types.ServiceSecretConfig) bool { return c.Source == "alert_token" })
		if door != (s.Name == "api") {
			t.Errorf("%s has the secret of the alert door: %v", s.Name, door)
		}
		public := slices.ContainsFunc(s.Secrets, func(c types.ServiceSecretConfig) bool { return c.Source == "public_keys" })
		if public != strings.HasPrefix(s.Name, "worker") {
			t.Errorf("%s has the public keys: %v", s.Name, public)
		}
		if strings.HasPrefix(s.Image, "tourniquet") && (!s.ReadOnly || !slices.Contains(s.CapDrop, "ALL") || s.Privileged) {
			t.Errorf("%s may do more than it needs", s.Name)
		}
	}
}

var build = regexp.MustCompile(`CGO_ENABLED=0 (?:\$\(GO\)|go) build (.*?)(?: -o \S+ \./cmd/tourniquet.*)?$`)

// flags are those of the line that builds the program, without how each file writes its variable of tags.
func flags(t *testing.T, file, body string) string {
	t.Helper()
	for line := range strings.Lines(body) {
		if m := build.FindStringSubmatch(strings.TrimSpace(line)); m != nil && !strings.Contains(line, "buildvcs") {
			return regexp.MustCompile(`-tags ['"]\$\(?\{?TAGS\)?\}?['"]`).ReplaceAllString(m[1], "-tags TAGS")
		}
	}
	t.Fatalf("%s does not build a static binary", file)
	return ""
}

func TestEveryFileBuildsTheSameStaticBinary(t *testing.T) {
	t.Parallel()
	make, docker := flags(t, "Makefile", text(t, "Makefile")), flags(t, "Dockerfile", text(t, "Dockerfile"))
	if make != docker || make != `-trimpath -tags TAGS -ldflags '-s -w'` {
		t.Errorf("the Makefile builds with %q, the Dockerfile with %q", make, docker)
	}
	var release struct {
		Builds []struct {
			ID, Main, Binary    string
			Env, Flags, Ldflags []string
			Tags                []string
			ModTimestamp        string `yaml:"mod_timestamp"`
		}
	}
	if err := yaml.Unmarshal([]byte(text(t, ".goreleaser.yaml")), &release); err != nil {
		t.Fatal(err)
	}
	if len(release.Builds) != 2 {
		t.Fatalf("the release has %d builds, the whole and the slim one are wanted", len(release.Builds))
	}
	for i, b := range release.Builds {
		if b.Main != "./cmd/tourniquet" || !slices.Equal(b.Env, []string{"CGO_ENABLED=0"}) || !slices.Equal(b.Flags, []string{"-trimpath"}) ||
			!slices.Equal(b.Ldflags, []string{"-s -w"}) || b.ModTimestamp != "{{ .CommitTimestamp }}" || slices.Contains(b.Tags, "slim") != (i == 1) {
			t.Errorf("the release builds %+v", b)
		}
	}
}

func TestTheImageIsStaticSmallAndNobody(t *testing.T) {
	t.Parallel()
	docker, mod := text(t, "Dockerfile"), text(t, "go.mod")
	last := docker[strings.LastIndex(docker, "\nFROM "):]
	if !strings.HasPrefix(last, "\nFROM gcr.io/distroless/static") || !strings.Contains(last, ":nonroot\n") || strings.Contains(last, "RUN") || strings.Contains(docker, "USER root") {
		t.Errorf("the last stage is %s", last)
	}
	version := regexp.MustCompile(`(?m)^go (\S+)$`).FindStringSubmatch(mod)
	if version == nil || !strings.Contains(docker, "FROM golang:"+version[1]+"-") {
		t.Errorf("go.mod asks for Go %v, the Dockerfile takes another one", version)
	}
	if strings.Contains(docker, "ADD http") || strings.Contains(docker, "curl ") {
		t.Error("the Dockerfile fetches something that is not pinned")
	}
}

func TestTheSystemdUnitIsWellFormedAndLocksTheServiceIn(t *testing.T) {
	t.Parallel()
	section, got := "", map[string][]string{}
	for line := range strings.Lines(text(t, "docs/deploy/tourniquet.service")) {
		line = strings.TrimSpace(line)
		switch {
		case line == "" || strings.HasPrefix(line, "#"):
		case strings.HasPrefix(line, "[") && strings.HasSuffix(line, "]"):
			section = strings.Trim(line, "[]")
			if !slices.Contains([]string{"Unit", "Service", "Install"}, section) {
				t.Errorf("section %q is not one of a service", section)
			}
		default:
			key, value, ok := strings.Cut(line, "=")
			if !ok || section == "" {
				t.Errorf("the line %q is no setting", line)
			}
			got[section+"."+key] = append(got[section+"."+key], value)
		}
	}
	for key, want := range map[string]string{
		"Service.ExecStart": "/usr/bin/tourniquet serve --config /etc/tourniquet/tourniquet.yaml", "Service.DynamicUser": "yes", "Service.StateDirectory": "tourniquet",
		"Service.NoNewPrivileges": "yes", "Service.ProtectSystem": "strict", "Service.Restart": "always", "Service.CapabilityBoundingSet": "",
		"Service.MemoryDenyWriteExecute": "yes", "Service.UMask": "0077", "Install.WantedBy": "multi-user.target",
	} {
		if len(got[key]) != 1 || got[key][0] != want {
			t.Errorf("%s is %q, want %q", key, got[key], want)
		}
	}
	for _, c := range got["Service.LoadCredential"] {
		if name, path, ok := strings.Cut(c, ":"); !ok || !strings.HasPrefix(path, "/etc/tourniquet/secrets/"+name) {
			t.Errorf("the credential %q does not come from /etc/tourniquet/secrets", c)
		}
	}
}

// The page that leads to the compose set-up is true: what it tells to write is a configuration.
func TestThePageOfComposeTellsAConfigurationThatLoads(t *testing.T) {
	t.Parallel()
	_, rest, _ := strings.Cut(text(t, "docs/compose.md"), "```yaml\n")
	lines, _, ok := strings.Cut(rest, "```")
	if !ok {
		t.Fatal("the page shows no configuration")
	}
	c, err := config.Parse([]byte(lines))
	if err != nil {
		t.Fatal(err)
	}
	p := composed(t)
	for _, at := range []string{c.Encryption.KeyRing, c.Encryption.SigningKey, c.Encryption.PublicKeys, strings.TrimPrefix(string(c.Database.URL), "file://")} {
		if name := strings.TrimPrefix(at, "/run/secrets/"); p.Secrets[name].File == "" {
			t.Errorf("the page names the secret %q, which docker-compose.yml does not have", at)
		}
	}
	for name := range p.Secrets {
		if !strings.Contains(text(t, "docs/compose.md"), strings.TrimPrefix(p.Secrets[name].File, filepath.Dir(filepath.Dir(p.Secrets[name].File))+"/")) && !strings.HasSuffix(name, "_password") {
			t.Errorf("the page does not say how %s is made", p.Secrets[name].File)
		}
	}
}
