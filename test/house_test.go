package test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/tourniquet-ir/tourniquet/"

// source is one Go file of the house, as far as its rules look.
type source struct {
	path    string   // slash-separated, from the top of the house
	imports []string // ours without the module's path
	clocks  []string // uses of time that read a clock or wait, as "time.Now"
	starts  bool     // has a go statement
	inits   bool     // has func init
	lines   int
	longest string // the name of its longest function
	length  int    // lines of that function
}

func (s source) room() string { return path.Dir(s.path) }

func (s source) isTest() bool { return strings.HasSuffix(s.path, "_test.go") }

func TestTheHouseKeepsItsOwnRules(t *testing.T) {
	t.Parallel()
	house := readHouse(t)
	if len(house) < 50 {
		t.Fatalf("only %d files were found: the test looks at the wrong place", len(house))
	}
	for _, fault := range faults(house) {
		t.Error(fault)
	}
}

func readHouse(t *testing.T) (house []source) {
	t.Helper()
	top, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	err = filepath.WalkDir(top, func(file string, d fs.DirEntry, err error) error {
		switch name := d.Name(); {
		case err != nil:
			return err
		case d.IsDir() && file != top && (name == "testdata" || strings.HasPrefix(name, ".")):
			return filepath.SkipDir
		case d.IsDir() || !strings.HasSuffix(name, ".go"):
			return nil
		}
		rel, err := filepath.Rel(top, file)
		if err != nil {
			return err
		}
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		s, err := readSource(filepath.ToSlash(rel), text)
		house = append(house, s)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return house
}

func readSource(name string, text []byte) (source, error) {
	s := source{path: name, lines: strings.Count(string(text), "\n")}
	set := token.NewFileSet()
	tree, err := parser.ParseFile(set, name, text, parser.SkipObjectResolution)
	if err != nil {
		return s, err
	}
	for _, i := range tree.Imports {
		s.imports = append(s.imports, strings.TrimPrefix(strings.Trim(i.Path.Value, `"`), module))
	}
	clocks := []string{"Now", "Since", "Until", "After", "AfterFunc", "Sleep", "Tick", "NewTicker", "NewTimer"}
	ast.Inspect(tree, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GoStmt:
			s.starts = true
		case *ast.FuncDecl:
			s.inits = s.inits || n.Recv == nil && n.Name.Name == "init"
			if long := set.Position(n.End()).Line - set.Position(n.Pos()).Line + 1; long > s.length {
				s.longest, s.length = n.Name.Name, long
			}
		case *ast.SelectorExpr:
			if from, ok := n.X.(*ast.Ident); ok && from.Name == "time" && slices.Contains(clocks, n.Sel.Name) {
				s.clocks = append(s.clocks, "time."+n.Sel.Name)
			}
		}
		return true
	})
	return s, nil
}
