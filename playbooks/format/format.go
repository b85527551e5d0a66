package format

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/tourniquet-ir/tourniquet/playbooks"
)

// Source gives a playbook or a test file its shape. Formatting twice is the same as once. A file that is no YAML map, or
// that would say something else afterwards, is an error and stays as it is.
func Source(src []byte) ([]byte, error) {
	text, root, err := read(src)
	if err != nil {
		return nil, err
	}
	b := &builder{lines: strings.Split(strings.TrimSuffix(text, "\n"), "\n")}
	b.starts(root)
	b.lead = trimmed(b.lines[:root.Line-1])
	top, err := b.mapping(root)
	if err != nil {
		return nil, err
	}
	b.header(top)
	if !isTest(root) {
		clauses().arrange(top, "playbook")
	}
	p := &printer{}
	p.lines(b.head, 0)
	p.block(top, 0, "")
	out := []byte(strings.Join(p.out, "\n") + "\n")
	if err := same(text, root, out); err != nil {
		return nil, err
	}
	return out, nil
}

// read parses one document that is a block map; what it returns ends with a line end.
func read(src []byte) (string, *yaml.Node, error) {
	if len(src) > playbooks.MaxFile {
		return "", nil, fmt.Errorf("the file has %d bytes; at most %d are formatted", len(src), playbooks.MaxFile)
	}
	if !utf8.Valid(src) {
		return "", nil, errors.New("the file is not UTF-8 text")
	}
	text := strings.TrimPrefix(strings.ReplaceAll(string(src), "\r\n", "\n"), "\ufeff")
	if strings.ContainsAny(text, "\r\u0085\u2028\u2029\x00") {
		return "", nil, errors.New("the file has line ends that editors do not show: take them out first")
	}
	if !strings.HasSuffix(text, "\n") {
		text += "\n"
	}
	root, err := parse([]byte(text))
	if err != nil {
		return "", nil, err
	}
	return text, root, nil
}

func parse(text []byte) (*yaml.Node, error) {
	var doc, second yaml.Node
	dec := yaml.NewDecoder(bytes.NewReader(text))
	switch err := dec.Decode(&doc); {
	case errors.Is(err, io.EOF):
		return nil, errors.New("the file is empty")
	case err != nil:
		return nil, fmt.Errorf("the file is not YAML; lint says where: %w", err)
	}
	if !errors.Is(dec.Decode(&second), io.EOF) {
		return nil, errors.New("the file has a second document; one playbook per file")
	}
	root := doc.Content[0]
	if root.Kind != yaml.MappingNode || root.Style&yaml.FlowStyle != 0 || root.Column != 1 || len(root.Content) == 0 {
		return nil, errors.New("the file is not a map of keys and values that begins in the first column")
	}
	return root, nil
}

// isTest reports whether the file holds tests of a playbook: their keys are not those of the language.
func isTest(root *yaml.Node) bool {
	for i := 0; i < len(root.Content); i += 2 {
		if root.Content[i].Value == "tests" {
			return true
		}
	}
	return false
}
