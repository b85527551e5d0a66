package activities

import (
	"encoding/json"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/signoff"
	"github.com/tourniquet-ir/tourniquet/playbooks"
)

var nounVerb = regexp.MustCompile(`^[a-z]+\.[a-z]+$`)

func TestEveryActionHasACardThatExplainsItself(t *testing.T) {
	t.Parallel()
	catalog := Catalog()
	effects := []string{signoff.EffectObserve, signoff.EffectNotify, signoff.EffectUndoable, signoff.EffectFinal}
	for _, a := range All() {
		c := a.Card
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			if !nounVerb.MatchString(c.Name) {
				t.Error("the name is not noun.verb")
			}
			if len(c.Summary) < 10 || a.Run == nil {
				t.Error("the card does not say what the action does, or it does nothing")
			}
			if !slices.Contains(effects, c.Effect) {
				t.Errorf("effect %q is none of %q", c.Effect, effects)
			}
			if a.changes() && a.DryRun == nil {
				t.Error("it changes something and cannot say beforehand what")
			}
			if c.Effect == signoff.EffectFinal && c.Attempts != 1 {
				t.Errorf("a final action is attempted %d times", c.Attempts)
			}
			if _, known := catalog[c.Undo]; c.Undo != "" && !known {
				t.Errorf("it is undone by %q, which is no action", c.Undo)
			}
			if _, err := time.ParseDuration(c.Timeout); err != nil || c.Attempts < 1 {
				t.Errorf("timeout %q, attempts %d", c.Timeout, c.Attempts)
			}
			for _, f := range slices.Concat(c.Inputs, c.Outputs) {
				if f.Doc == "" {
					t.Errorf("field %q is not explained", f.Name)
				}
			}
			exampleFits(t, c)
		})
	}
}

// exampleFits compares the example with the outputs that the card declares, in both directions.
func exampleFits(t *testing.T, c playbooks.Card) {
	t.Helper()
	declared := map[string]string{}
	for _, f := range c.Outputs {
		declared[f.Name] = f.Type
		if _, given := c.Example[f.Name]; f.Required && !given {
			t.Errorf("the example lacks the output %q", f.Name)
		}
	}
	raw, err := json.Marshal(c.Example)
	if err != nil {
		t.Fatal(err)
	}
	var example map[string]any
	if err := json.Unmarshal(raw, &example); err != nil {
		t.Fatal(err)
	}
	for name, v := range example {
		if kind, ok := declared[name]; !ok || !isA(kind, v) {
			t.Errorf("the example's %q is %v, which is not of type %q", name, v, kind)
		}
	}
}

func isA(kind string, v any) bool {
	switch x := v.(type) {
	case string:
		if kind == playbooks.TypeTime {
			_, err := time.Parse(time.RFC3339Nano, x)
			return err == nil
		}
		return kind == playbooks.TypeString || kind == playbooks.TypeDuration || kind == playbooks.TypeAny
	case float64:
		return kind == playbooks.TypeFloat || kind == playbooks.TypeInt && x == float64(int64(x)) || kind == playbooks.TypeAny
	case bool:
		return kind == playbooks.TypeBool || kind == playbooks.TypeAny
	case []any:
		notText := func(e any) bool { _, ok := e.(string); return !ok }
		return kind == playbooks.TypeStrings && !slices.ContainsFunc(x, notText) || kind == playbooks.TypeAny
	case map[string]any:
		return (kind == playbooks.TypeKey || kind == playbooks.TypeDepend) && (x["id"] != nil) || kind == playbooks.TypeAny
	}
	return false
}
