package test

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/tourniquet-ir/tourniquet/integrations/chat/slack"
)

// undriven are calls of the permissions page that docs/conformance.md does not list, and where they are made.
var undriven = map[string]string{
	"gemini POST /v2/{key}:undelete":               "integrations/keys/gemini/contain.go",
	"gemini GET /v2/{operation}":                   "integrations/keys/gemini/operation.go",
	"bedrock iam GetRolePolicy":                    "integrations/keys/bedrock/",
	"bedrock iam PutRolePolicy":                    "integrations/keys/bedrock/",
	"bedrock iam DeleteRolePolicy":                 "integrations/keys/bedrock/",
	"bedrock sts GetAccessKeyInfo":                 "integrations/keys/bedrock/",
	"slack POST /api/files.getUploadURLExternal":   "integrations/chat/slack/",
	"slack POST /api/files.completeUploadExternal": "integrations/chat/slack/",
	"slack /tourniquet":                            "integrations/chat/slack/",
	"pagerduty GET /oncalls":                       "integrations/paging/pagerduty/roster.go",
}

var ticked = regexp.MustCompile("`([^`]+)`")

// service is one section of the permissions page.
type service struct {
	calls  map[string][]string // call: the rights that its row names
	blocks string              // what is there to copy
}

func permissions(t *testing.T) map[string]service {
	t.Helper()
	out := map[string]service{}
	for _, section := range strings.Split(read(t, "../docs/permissions.md"), "\n## ")[1:] {
		name, body, _ := strings.Cut(section, "\n")
		s := service{calls: map[string][]string{}}
		for _, m := range fence.FindAllStringSubmatch(body, -1) {
			s.blocks += m[2]
		}
		for line := range strings.SplitSeq(fence.ReplaceAllString(body, ""), "\n") {
			cells := strings.Split(line, "|")
			if len(cells) != 4 {
				continue
			}
			var rights []string
			for _, m := range ticked.FindAllStringSubmatch(cells[2], -1) {
				rights = append(rights, m[1])
			}
			for _, m := range ticked.FindAllStringSubmatch(cells[1], -1) {
				if _, twice := s.calls[m[1]]; twice {
					t.Errorf("%s: %q stands in two rows", name, m[1])
				}
				s.calls[m[1]] = rights
			}
		}
		out[name] = s
	}
	return out
}

func read(t *testing.T, path string) string {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// conformance are the calls that the clients were seen to make, by client. What GitHub sends us is no call of ours.
func conformance(t *testing.T) map[string][]string {
	t.Helper()
	out := map[string][]string{}
	for _, m := range regexp.MustCompile("(?m)^\\| ([a-z_ ]+) \\| [^|]+ \\| `([^`]+)` \\|").FindAllStringSubmatch(read(t, "../docs/conformance.md"), -1) {
		if !strings.HasPrefix(m[2], "webhook ") && !slices.Contains(out[m[1]], m[2]) {
			out[m[1]] = append(out[m[1]], m[2])
		}
	}
	return out
}

func TestEveryCallThatIsMadeHasItsPermissionInTheDocsAndNoOtherCallHas(t *testing.T) {
	t.Parallel()
	documented, made := permissions(t), conformance(t)
	if len(made) < 14 {
		t.Fatalf("only %d clients were found in docs/conformance.md", len(made))
	}
	for client, calls := range made {
		for _, call := range calls {
			if _, ok := documented[client].calls[call]; !ok {
				t.Errorf("docs/permissions.md does not say what %s needs for %q", client, call)
			}
		}
	}
	for client, s := range documented {
		for call := range s.calls {
			_, elsewhere := undriven[client+" "+call]
			if made[client] != nil && !slices.Contains(made[client], call) && !elsewhere {
				t.Errorf("docs/permissions.md asks for a permission for %q of %s, which nobody calls", call, client)
			}
		}
	}
	for name, place := range undriven {
		client, call, _ := strings.Cut(name, " ")
		if _, ok := documented[client].calls[call]; !ok || slices.Contains(made[client], call) {
			t.Errorf("%q (%s) is no exception any more", name, place)
		}
		if _, err := os.Stat("../" + place); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
}

// What operators copy allows what the rows name, and nothing else.
func TestWhatIsCopiedFromThePermissionsPageIsWhatItsRowsName(t *testing.T) {
	t.Parallel()
	all := permissions(t)
	policy := func(file string) string {
		return fence.FindAllStringSubmatch(after(t, read(t, file), "```jsonc"), 1)[0][2]
	}
	for client, c := range map[string]struct {
		block string
		right *regexp.Regexp // finds each right in the block
	}{
		"gemini":         {all["gemini"].blocks, regexp.MustCompile(`(?m)^  - (\S+)$`)},
		"google secrets": {all["google secrets"].blocks, regexp.MustCompile(`(?m)^  - (\S+)$`)},
		"aws secrets":    {all["aws secrets"].blocks, regexp.MustCompile(`"(secretsmanager:\w+)"`)},
		"bedrock":        {policy("../docs/providers/aws.md"), regexp.MustCompile(`"((?:iam|sts|ce|cloudtrail|bedrock):\w+)"`)},
		"azure_openai":   {policy("../docs/providers/azure.md"), regexp.MustCompile(`"(Microsoft\.[\w/]+)"`)},
		"slack":          {all["slack"].blocks + " channels:manage", regexp.MustCompile(`([a-z]+:[a-z]+|commands)\b`)},
		"kubernetes":     {all["kubernetes"].blocks, regexp.MustCompile(`\b(secrets|deployments|statefulsets|daemonsets|get|patch|list|watch|create|delete|update)\b`)},
		"vault":          {all["vault"].blocks, regexp.MustCompile(`"(read|create|update|delete|list|sudo|patch)"`)},
	} {
		named, copied := map[string]bool{}, map[string]bool{}
		for _, rights := range all[client].calls {
			for _, r := range rights {
				if r = strings.TrimSuffix(r, ":"); c.right.MatchString("  - "+r) || c.right.MatchString(`"`+r+`"`) {
					named[r] = true
				}
			}
		}
		for _, m := range c.right.FindAllStringSubmatch(c.block, -1) {
			copied[m[1]] = true
		}
		if len(copied) == 0 || !maps.Equal(named, copied) {
			t.Errorf("%s: the rows name %v, and the block grants %v", client, slices.Sorted(maps.Keys(named)), slices.Sorted(maps.Keys(copied)))
		}
	}
}

// The shorter lists, for those who begin, ask for nothing that the whole list does not have.
func TestTheFirstStepsAskForNoMoreThanThePermissionsPage(t *testing.T) {
	t.Parallel()
	first, whole := read(t, "../docs/first-real-key.md"), permissions(t)
	_, list, _ := strings.Cut(first, "--permissions \\\n")
	list, _, _ = strings.Cut(list, "\n\n")
	asked := regexp.MustCompile(`[a-z]+\.[A-Za-z]+\.[A-Za-z]+`).FindAllString(list, -1)
	if len(asked) < 10 {
		t.Fatalf("docs/first-real-key.md asks for %v: the test looks at the wrong place", asked)
	}
	for _, right := range asked {
		if !strings.Contains(whole["gemini"].blocks, "- "+right+"\n") {
			t.Errorf("docs/first-real-key.md asks for %s, and docs/permissions.md does not", right)
		}
	}
	var scopes []string
	for _, rights := range whole["slack"].calls {
		scopes = append(scopes, rights...)
	}
	for _, scope := range slack.Scopes(true) {
		if !slices.Contains(scopes, scope) {
			t.Errorf("the manifest asks for %s, and docs/permissions.md does not", scope)
		}
		if scope != "channels:manage" && !strings.Contains(first, "`"+scope+"`") {
			t.Errorf("docs/first-real-key.md does not name the scope %s", scope)
		}
	}
}

func after(t *testing.T, text, mark string) string {
	t.Helper()
	i := strings.Index(text, mark)
	if i < 0 {
		t.Fatalf("%q is not there", mark)
	}
	return text[i:]
}
