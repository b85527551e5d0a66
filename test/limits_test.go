package test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// needs are what a client or a server of the product must set, so that nobody makes it wait or read without end.
var needs = map[string][]string{
	"http.Server":    {"ReadHeaderTimeout", "ReadTimeout", "IdleTimeout", "MaxHeaderBytes"},
	"http.Client":    {"Timeout", "CheckRedirect"},
	"http.Transport": {"TLSHandshakeTimeout", "ResponseHeaderTimeout"},
}

// excused are the places that set less, each with what bounds it in its stead. docs/limits.md says the same to operators.
var excused = map[string]string{
	"cmd/tourniquet/alert.go http.Client":                "the context of the command (askWithin)",
	"cmd/tourniquet/client.go http.Client":               "the context of the command; a live page stays open",
	"cmd/tourniquet/doctoroutside.go http.Client":        "the context of each check (checkWithin)",
	"cmd/tourniquet/doctorrecords.go http.DefaultClient": "the context of each check; our own address, no credential",
	"cmd/tourniquet/doctorslack.go http.DefaultClient":   "the context of each check; our own address, no credential",
	"cmd/tourniquet/healthcheck.go http.Client":          "the context of the command; our own listener, no credential",
	"cmd/tourniquet/healthcheck.go http.Transport":       "the context of the command; our own listener, no credential",
	"cmd/tourniquet/tracing.go http.Client":              "what lies below a provider's own client, which has both",
	"cmd/tourniquet/drillbyhand.go http.DefaultClient":   "a drill: the sandbox in this process",
	"integrations/chat/slack/slack.go http.Client":       "both are set in the lines after",
	"integrations/sources/oidc.go http.Client":           "public keys, without a credential: a redirect gives nothing away",
}

func TestEveryClientAndServerOfTheProductHasItsLimits(t *testing.T) {
	t.Parallel()
	used := map[string]bool{}
	for _, at := range unlimited(t, "..") {
		place, _, _ := strings.Cut(at, ":")
		if excused[place] == "" {
			t.Errorf("%s; set it, or say in this test and in docs/limits.md what bounds it", at)
		}
		used[place] = true
	}
	for place := range excused {
		if !used[place] {
			t.Errorf("%s needs no excuse any more", place)
		}
	}
}

// unlimited lists literals without one of their limits, and uses of the client that has none.
func unlimited(t *testing.T, top string) (out []string) {
	t.Helper()
	err := filepath.WalkDir(top, func(file string, d fs.DirEntry, err error) error {
		rel, _ := filepath.Rel(top, file)
		rel = filepath.ToSlash(rel)
		switch {
		case err != nil:
			return err
		case d.IsDir():
			if rel == "test" || rel == "internal/sandbox" || strings.HasPrefix(d.Name(), ".") && rel != "." || strings.HasSuffix(d.Name(), "test") && rel != "test" || rel == "integrations/keys/tape" {
				return filepath.SkipDir
			}
			return nil
		case !strings.HasSuffix(rel, ".go") || strings.HasSuffix(rel, "_test.go"):
			return nil
		}
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		found, err := unlimitedIn(rel, text)
		out = append(out, found...)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func unlimitedIn(name string, text []byte) (out []string, err error) {
	set := token.NewFileSet()
	tree, err := parser.ParseFile(set, name, text, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	selected := func(e ast.Expr) string {
		s, ok := e.(*ast.SelectorExpr)
		if !ok {
			return ""
		}
		from, ok := s.X.(*ast.Ident)
		if !ok || from.Name != "http" {
			return ""
		}
		return "http." + s.Sel.Name
	}
	ast.Inspect(tree, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CompositeLit:
			kind := selected(n.Type)
			for _, field := range needs[kind] {
				if !slices.ContainsFunc(n.Elts, func(e ast.Expr) bool {
					kv, ok := e.(*ast.KeyValueExpr)
					return ok && fmt.Sprint(kv.Key) == field
				}) {
					out = append(out, fmt.Sprintf("%s %s: line %d sets no %s", name, kind, set.Position(n.Pos()).Line, field))
				}
			}
		case *ast.SelectorExpr:
			if kind := selected(n); slices.Contains([]string{"http.DefaultClient", "http.Get", "http.Post", "http.PostForm", "http.Head", "http.ListenAndServe", "http.ListenAndServeTLS"}, kind) {
				out = append(out, fmt.Sprintf("%s %s: line %d has no limit at all", name, kind, set.Position(n.Pos()).Line))
			}
		}
		return true
	})
	return out, nil
}

func TestAClientWithoutALimitIsFound(t *testing.T) {
	t.Parallel()
	for want, text := range map[string]string{
		"sets no Timeout":       `package x; import "net/http"; var c = &http.Client{CheckRedirect: nil}`,
		"sets no CheckRedirect": `package x; import "net/http"; var c = http.Client{Timeout: 1}`,
		"sets no IdleTimeout":   `package x; import "net/http"; var s = &http.Server{ReadHeaderTimeout: 1, ReadTimeout: 1, MaxHeaderBytes: 1}`,
		"no limit at all":       `package x; import "net/http"; func f() { _, _ = http.Get("https://x.example") }`,
	} {
		if got, err := unlimitedIn("x.go", []byte(text)); err != nil || len(got) != 1 || !strings.Contains(got[0], want) {
			t.Errorf("%s: %q %v", want, got, err)
		}
	}
}
