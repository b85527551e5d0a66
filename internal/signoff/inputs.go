package signoff

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
)

// sameInputs compares the planned inputs, later values put in from the receipts of earlier calls, with those that are
// about to be sent. Both sides go through canonical JSON, so that only meaning counts, not Go types.
func sameInputs(p PlannedCall, before map[string]bool, c CallCheck) *Refusal {
	want, err := plain(p.Inputs)
	if err != nil {
		return refuse(BadEnvelope, "the planned inputs of the step %q: %s", p.Step, err)
	}
	l := later{before: before, earlier: c.Earlier}
	if want, err = l.resolve(want); err != nil {
		return refuse(InputsDiffer, "the inputs of the step %q: %s", p.Step, err)
	}
	have, err := plain(c.Inputs)
	if err != nil {
		return refuse(InputsDiffer, "the inputs of the step %q: %s", p.Step, err)
	}
	w, ok := want.(map[string]any)
	if !ok && want != nil {
		return refuse(BadEnvelope, "the planned inputs of the step %q are not a map of names to values", p.Step)
	}
	h, _ := have.(map[string]any)
	var wrong []string
	for _, k := range slices.Sorted(maps.Keys(union(w, h))) {
		if !sameJSON(w, h, k) {
			wrong = append(wrong, k)
		}
	}
	if len(wrong) > 0 {
		return refuse(InputsDiffer, "for the step %q people approved other values for %q", p.Step, wrong)
	}
	return nil
}

// sameJSON compares one member. An input that is absent and one that is null are two things.
func sameJSON(w, h map[string]any, k string) bool {
	a, inW := w[k]
	b, inH := h[k]
	if !inW || !inH {
		return false
	}
	x, err1 := canonical(a, true)
	y, err2 := canonical(b, true)
	return err1 == nil && err2 == nil && bytes.Equal(x, y)
}

func union(a, b map[string]any) map[string]any {
	out := maps.Clone(a)
	if out == nil {
		out = map[string]any{}
	}
	maps.Copy(out, b)
	return out
}

// plain is v as JSON would give it back: maps, lists, texts, exact numbers.
func plain(v any) (any, error) {
	b, err := canonical(inUTC(v), true)
	if err != nil {
		return nil, err
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.UseNumber()
	var out any
	if err := dec.Decode(&out); err != nil {
		return nil, fmt.Errorf("they are not readable as JSON: %w", err)
	}
	return out, nil
}

// later puts values that earlier calls made in the place of their references. What it puts in is not searched again.
type later struct {
	before  map[string]bool // steps planned before this one, in this request
	earlier func(step, output string) (any, bool)
}

func (l later) resolve(v any) (any, error) {
	switch x := v.(type) {
	case map[string]any:
		if ref, ok := x[LaterKey]; ok {
			return l.value(x, ref)
		}
		for k, e := range x {
			r, err := l.resolve(e)
			if err != nil {
				return nil, err
			}
			x[k] = r
		}
	case []any:
		for i, e := range x {
			r, err := l.resolve(e)
			if err != nil {
				return nil, err
			}
			x[i] = r
		}
	}
	return v, nil
}

func (l later) value(holder map[string]any, ref any) (any, error) {
	m, _ := ref.(map[string]any)
	step, _ := m["step"].(string)
	output, _ := m["output"].(string)
	if len(holder) != 1 || len(m) != 2 || step == "" || output == "" {
		return nil, fmt.Errorf("a later value is written {%q: {\"step\": …, \"output\": …}} and nothing else", LaterKey)
	}
	if !l.before[step] {
		return nil, fmt.Errorf("the value %q is to come from the step %q, which is not an earlier call of this request", output, step)
	}
	if l.earlier == nil {
		return nil, fmt.Errorf("the value %q of the step %q has no receipt to come from", output, step)
	}
	v, ok := l.earlier(step, output)
	if !ok {
		return nil, fmt.Errorf("the step %q has left no value %q in its receipt", step, output)
	}
	return plain(v)
}

// differ names the fields in which two states differ, as quoted names in order.
func differ(a, b map[string]string) []string {
	var out []string
	for k, v := range a {
		if w, ok := b[k]; !ok || w != v {
			out = append(out, strconv.Quote(k))
		}
	}
	for k := range b {
		if _, ok := a[k]; !ok {
			out = append(out, strconv.Quote(k))
		}
	}
	slices.Sort(out)
	return out
}
