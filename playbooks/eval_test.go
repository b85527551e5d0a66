package playbooks_test

import (
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tourniquet-ir/tourniquet/playbooks"
)

func environment() map[string]any {
	list := make([]any, 0, 1000)
	for i := range 1000 {
		list = append(list, float64(i))
	}
	return map[string]any{
		"list": list, "alert": map[string]any{"at": time.Unix(1_700_000_000, 0).UTC(), "title": strings.Repeat("a", 60_000)},
		"key":   map[string]any{"id": "k1", "dependents": []any{map[string]any{"id": "d1", "kind": "x"}}},
		"vars":  map[string]any{"code": "${{ 1 + 1 }}"},
		"steps": map[string]any{"usage": map[string]any{"status": "done", "outputs": map[string]any{"requests": float64(9000)}}},
	}
}

// bombs are expressions that are slow or large under the library's own limits.
func bombs() []string {
	double := "let a = alert.title; "
	for i := range 16 {
		double += "let b" + strings.Repeat("x", i) + " = a + a; "
	}
	return []string{
		`let x = 1..400; all(x, all(x, all(x, # > 0)))`,
		`len(1..100000000)`,
		`let a = "aaaaaaaaaaaaaaaa"; let b = a+a+a+a+a+a+a+a; let c = b+b+b+b+b+b+b+b; let d = c+c+c+c+c+c+c+c; let e = d+d+d+d+d+d+d+d; e+e+e+e`,
		double + "a",
		`let a = [1,1]; let b = [a,a]; let c = [b,b]; let d = [c,c]; let e = [d,d]; let f = [e,e]; f == [f,f]`,
		`map(list, list)`,
		`map(list, map(list, #))`,
		`all(list, # in list)`,
		`repeat("a", 1000000000)`,
		`join(split(alert.title, ""), alert.title)`,
		`replace(alert.title, "", alert.title)`,
		`reduce(list, #acc + string(#acc), "aa")`,
		`toJSON(map(list, {a: list}))`,
		`flatten(map(list, [list]))`,
		`groupBy(list, #)`,
		strings.Repeat("(", 1900) + "1",
		strings.Repeat("!", 1900) + "true",
		strings.Repeat("1+", 900) + "1",
		strings.Repeat("[", 1900),
		`$env["list"]`,
		`keys(key)`, `values(key)`, `toPairs(key)`,
	}
}

func TestExpressionBombsEndFastWithAnError(t *testing.T) {
	t.Parallel()
	for _, code := range bombs() {
		start := time.Now()
		_, err := playbooks.Eval(code, environment(), time.Unix(0, 0))
		if took := time.Since(start); took > 500*time.Millisecond {
			t.Errorf("%.60q took %s", code, took)
		}
		if err == nil {
			t.Errorf("%.60q is not refused", code)
		}
	}
}

func TestExpressionsGiveWhatTheySay(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 4, 3, 12, 0, 0, time.FixedZone("x", 3600))
	for code, want := range map[string]any{
		`now()`: now.UTC(), `now() - duration("3d")`: now.UTC().Add(-72 * time.Hour), `duration("1d12h")`: 36 * time.Hour,
		`steps.usage.outputs?.requests ?? "unknown"`: float64(9000), `steps.never.outputs?.requests ?? "unknown"`: "unknown",
		`steps.usage.outputs?.nothing ?? 0`: 0, `steps.never.status == "done"`: false,
		`"a" + "b"`: "ab", `1 + 2`: 3, `1 + 2.5`: 3.5, `len(filter(list, # >= 998))`: 2, `split("a b", " ")`: []any{"a", "b"},
		`join(split("a b", " "), "-")`: "a-b", `string(9000.0)`: "9000", `map(key.dependents, .id)`: []any{"d1"},
		`any(key.dependents, .kind in ["x", "y"])`: true, `vars.code`: "${{ 1 + 1 }}", `1..3`: []any{1, 2, 3},
		`let n = 2; n * 3`: 6, `key.id == "k1" ? "yes" : "no"`: "yes", `date("2026-01-02")`: time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC),
	} {
		got, err := playbooks.Eval(code, environment(), now)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s = %#v (%v), want %#v", code, got, err, want)
		}
	}
}

func TestAValueIsEvaluatedInOnePassAndAWholeExpressionKeepsItsType(t *testing.T) {
	t.Parallel()
	text := playbooks.Value{Kind: "text", Text: []playbooks.Part{{Lit: "is "}, {Expr: "vars.code"}, {Lit: ", "}, {Expr: "steps.usage.outputs?.requests"}, {Expr: "nil"}}}
	all := playbooks.Value{Kind: "map", Map: []playbooks.Binding{
		{Name: "text", Value: text}, {Name: "n", Value: playbooks.Value{Kind: "expr", Expr: "len(list)"}},
		{Name: "l", Value: playbooks.Value{Kind: "list", List: []playbooks.Value{{Kind: "lit", Lit: true}}}},
	}}
	got, err := all.Eval(environment(), time.Unix(0, 0))
	want := map[string]any{"text": "is ${{ 1 + 1 }}, 9000", "n": 1000, "l": []any{true}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Fatalf("got %#v %v", got, err)
	}
	if refs := all.Refs(); !reflect.DeepEqual(refs, []playbooks.Ref{{Step: "usage", Output: "requests"}}) {
		t.Errorf("refs %v", refs)
	}
}

func TestAListOrMapInsideATextIsRefused(t *testing.T) {
	t.Parallel()
	v := playbooks.Value{Kind: "text", Text: []playbooks.Part{{Expr: "key"}}}
	if got, err := v.Eval(environment(), time.Unix(0, 0)); err == nil {
		t.Fatalf("got %v", got)
	}
}

func TestManyRunsMayEvaluateAtOnce(t *testing.T) {
	t.Parallel()
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Go(func() {
			got, err := playbooks.Eval("len(list) + "+strings.Repeat("1+", i%7)+"0", environment(), time.Unix(0, 0))
			if err != nil || got != 1000+i%7 {
				t.Errorf("got %v %v", got, err)
			}
		})
	}
	wg.Wait()
}

func TestDurationsKnowDays(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]time.Duration{"3d": 72 * time.Hour, "1d2h": 26 * time.Hour, "90s": 90 * time.Second, "-1d": -24 * time.Hour} {
		if got, err := playbooks.ParseDuration(in); err != nil || got != want {
			t.Errorf("%s = %s %v", in, got, err)
		}
	}
	for _, bad := range []string{"", "d", "3", "3 d", "-", "--1s", "400d", "9999999999h", "1d-2h"} {
		if got, err := playbooks.ParseDuration(bad); err == nil {
			t.Errorf("%q = %s", bad, got)
		}
	}
}
