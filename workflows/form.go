package workflows

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"

	"github.com/tourniquet-ir/tourniquet/playbooks"
)

// maxForm bounds a filled form; it lives in the history of the run.
const maxForm = 16_000

// formPrompt says under the question how a form is filled, so that every surface can take it as one text.
func formPrompt(prompt string, form []playbooks.Field) string {
	var b strings.Builder
	b.WriteString(strings.TrimRight(prompt, "\n") + "\n\nAnswer with a JSON object of these fields:")
	for _, f := range form {
		fmt.Fprintf(&b, "\n%q: %s", f.Name, f.Type)
		if f.Doc != "" {
			b.WriteString(", " + f.Doc)
		}
	}
	return b.String()
}

// fill reads a filled form: a JSON object with exactly the fields of the form, each of its type.
func fill(form []playbooks.Field, answer string) (map[string]any, error) {
	if len(answer) > maxForm {
		return nil, fmt.Errorf("the answer is longer than %d bytes", maxForm)
	}
	got := map[string]any{}
	if err := json.Unmarshal([]byte(answer), &got); err != nil || got == nil {
		return nil, fmt.Errorf("the answer is not a JSON object; write {\"<field>\": <value>, …}")
	}
	out := map[string]any{}
	for _, f := range form {
		v, ok := got[f.Name]
		if !ok {
			return nil, fmt.Errorf("the field %q is missing", f.Name)
		}
		if out[f.Name], ok = typed(f.Type, v); !ok {
			return nil, fmt.Errorf("the field %q is not of the type %s", f.Name, f.Type)
		}
	}
	if len(got) != len(form) {
		return nil, fmt.Errorf("the answer has %d fields and the form %d", len(got), len(form))
	}
	return out, nil
}

func typed(kind string, v any) (any, bool) {
	switch x := v.(type) {
	case string:
		return x, kind == playbooks.TypeString
	case bool:
		return x, kind == playbooks.TypeBool
	case float64:
		if kind == playbooks.TypeInt {
			return int(x), x == math.Trunc(x) && math.Abs(x) < 1<<53
		}
		return x, kind == playbooks.TypeFloat
	}
	return nil, false
}
