package main

import (
	"fmt"
	"net/url"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"

	"github.com/tourniquet-ir/tourniquet/internal/config"
)

// setting is one value in force.
type setting struct {
	Name   string `json:"name"`
	Value  string `json:"value"`
	Origin string `json:"origin,omitempty"`
	Secret bool   `json:"secret,omitempty"` // Value is a reference to it
}

// valuesOf lists every value of a configuration by its dotted name, in the order of the file's sections.
func valuesOf(c *config.Config) []setting {
	var out []setting
	walkValues("", reflect.ValueOf(*c), &out)
	return out
}

func walkValues(name string, v reflect.Value, out *[]setting) {
	if secret, ok := v.Interface().(config.Secret); ok {
		if secret != "" {
			*out = append(*out, setting{Name: name, Value: string(secret), Secret: true})
		}
		return
	}
	if s, ok := v.Interface().(fmt.Stringer); ok {
		*out = append(*out, setting{Name: name, Value: s.String()})
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			walkValues(name, v.Elem(), out)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if key := yamlKey(v.Type().Field(i)); key != "-" {
				walkValues(dotted(name, key), v.Field(i), out)
			}
		}
	case reflect.Map:
		keys := v.MapKeys()
		slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
		for _, k := range keys {
			walkValues(dotted(name, k.String()), v.MapIndex(k), out)
		}
	case reflect.Slice:
		for i := range v.Len() {
			walkValues(name+"["+strconv.Itoa(i)+"]", v.Index(i), out)
		}
	default:
		if !v.IsZero() || v.Kind() == reflect.Bool {
			*out = append(*out, setting{Name: name, Value: withoutUser(fmt.Sprint(v.Interface()))})
		}
	}
}

// yamlKey is the name of a field in the file.
func yamlKey(f reflect.StructField) string {
	key, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
	if key == "" {
		return strings.ToLower(f.Name)
	}
	return key
}

func dotted(name, key string) string {
	if name == "" {
		return key
	}
	return name + "." + key
}

// withoutUser takes a password out of an address that carries one.
func withoutUser(s string) string {
	if u, err := url.Parse(s); err == nil && u.User != nil {
		return u.Redacted()
	}
	return s
}

// linesOf says in which line of the file each value stands, by the same names as valuesOf.
func linesOf(path string) (map[string]int, error) {
	body, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("the configuration %q cannot be read: %w", path, err)
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(body, &doc); err != nil {
		return nil, fmt.Errorf("the configuration %q is not YAML any more", path)
	}
	lines := map[string]int{}
	for _, n := range doc.Content {
		walkLines("", n, lines)
	}
	return lines, nil
}

func walkLines(name string, n *yaml.Node, lines map[string]int) {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	switch n.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			walkLines(dotted(name, n.Content[i].Value), n.Content[i+1], lines)
		}
	case yaml.SequenceNode:
		for i, item := range n.Content {
			walkLines(name+"["+strconv.Itoa(i)+"]", item, lines)
		}
	default:
		lines[name] = n.Line
	}
}

// exactly refuses another number of arguments in words.
func exactly(n int, what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) != n {
			return misuse("%s takes %s", cmd.CommandPath(), what)
		}
		return nil
	}
}
