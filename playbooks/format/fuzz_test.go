package format_test

import (
	"bytes"
	"reflect"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/tourniquet-ir/tourniquet/playbooks/format"
)

// FuzzFormat formats any bytes: no panic, the same twice as once, and the same values as before.
func FuzzFormat(f *testing.F) {
	for _, glob := range []string{"testdata/*.yaml", "../testdata/ok/*.yaml", "../testdata/err/*.yaml", "../testdata/warn/*.yaml", "../testdata/world/*.yaml", "../library/*.yaml"} {
		for _, src := range read(f, glob) {
			f.Add(src)
		}
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		start := time.Now()
		out, err := format.Source(src)
		if took := time.Since(start); took > 5*time.Second {
			t.Fatalf("%d bytes took %s", len(src), took)
		}
		if err != nil {
			if out != nil {
				t.Fatal("there is a file and an error")
			}
			return
		}
		again, err := format.Source(out)
		if err != nil || !bytes.Equal(out, again) {
			t.Fatalf("the second time gives (%v)\n%q\nafter\n%q", err, again, out)
		}
		if a, b := bytes.Count(src, []byte("#")), bytes.Count(out, []byte("#")); a != b {
			t.Fatalf("%d signs of comments became %d: %q", a, b, out)
		}
		if !bytes.HasSuffix(src, []byte("\n")) {
			src = append(bytes.Clone(src), '\n') // a file ends with a line end, and so does a text at its end
		}
		var before, after any
		if yaml.Unmarshal(src, &before) != nil { // what is no value, as a key that stands twice
			return
		}
		if err := yaml.Unmarshal(out, &after); err != nil || !reflect.DeepEqual(before, after) {
			t.Fatalf("(%v) %#v became %#v", err, before, after)
		}
	})
}
