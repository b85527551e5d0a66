package signoff

import (
	"encoding/json"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestCanonicalJSONIsWhatRFC8785Says(t *testing.T) {
	t.Parallel()
	got, err := canonical(map[string]any{"b": []any{1, true, nil, "<&>\u2028é"}, "a": 1e15, "€": "x", "\U0001F600": 0, "\ufb33": -1}, true)
	want := "{\"a\":1000000000000000,\"b\":[1,true,null,\"<&>\u2028é\"],\"€\":\"x\",\"\U0001F600\":0,\"\ufb33\":-1}"
	if err != nil || string(got) != want {
		t.Fatalf("got  %s (%v)\nwant %s", got, err, want)
	}
	d, err := HashJSON("tourniquet/test/v1", map[string]int{"a": 1})
	if err != nil || d != sum("tourniquet/test/v1", []byte(`{"a":1}`)) {
		t.Fatalf("got %s, %v", d, err)
	}
}

func TestTheCheckCodeIsTheStartOfTheDigest(t *testing.T) {
	t.Parallel()
	if c := CheckCode("sha256:3f9ac210" + strings.Repeat("0", 56)); c != "3f9a-c210" {
		t.Fatalf("got %q", c)
	}
	for _, bad := range []string{"", "sha256:", "sha256:3f9ac210", "sha256:" + strings.Repeat("G", 64)} {
		if c := CheckCode(bad); c != "" {
			t.Fatalf("%q has the code %q", bad, c)
		}
	}
}

func TestADigestRefusesWhatJSONWouldBlur(t *testing.T) {
	t.Parallel()
	for _, v := range []any{0.5, 1e300, int64(1 << 53), math.NaN(), "a\xff", json.Number("1.0"), map[string]any{"\xfe": 1},
		[]any{map[string]any{"deep": float32(1.25)}}, struct{ S string }{"\xff"}} {
		e := testEnvelope()
		e.Calls[0].Inputs = map[string]any{"v": v}
		if d, err := Digest(e); err == nil {
			t.Errorf("%#v got the digest %s", v, d)
		}
	}
	e := testEnvelope()
	e.Calls[0].Inputs = map[string]any{"v": 2.0}
	if _, err := Digest(e); err != nil {
		t.Fatalf("2.0 is a whole number: %v", err)
	}
}

func TestADigestDoesNotDependOnTheZoneOrOnAWayThroughJSON(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		e := testEnvelope()
		e.Calls[0].Inputs = map[string]any{"n": rapid.Int64Range(-maxExact, maxExact).Draw(t, "n"), "s": rapid.String().Draw(t, "s"), "at": noon}
		want, err := Digest(e)
		if err != nil {
			t.Fatal(err)
		}
		zone := time.FixedZone("x", rapid.IntRange(-43200, 43200).Draw(t, "zone")/60*60)
		e.Issued, e.Expires = e.Issued.In(zone), e.Expires.In(zone)
		e.Calls[0].Inputs["at"] = noon.In(zone)
		if got, err := Digest(e); err != nil || got != want {
			t.Fatalf("zone: %s, want %s (%v)", got, want, err)
		}
		e.Calls[0].Inputs["at"] = noon
		raw, _ := json.Marshal(e)
		var back Envelope
		if err := json.Unmarshal(raw, &back); err != nil {
			t.Fatal(err)
		}
		if got, err := Digest(back); err != nil || got != want {
			t.Fatalf("JSON: %s, want %s (%v)", got, want, err)
		}
	})
}

// mutate changes exactly one leaf below v, chosen by pick, and reports the path.
func mutate(v reflect.Value, n *int) bool {
	switch v.Kind() {
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			if *n--; *n == 0 {
				v.Set(reflect.ValueOf(v.Interface().(time.Time).Add(1)))
			}
			return *n <= 0
		}
		for i := range v.NumField() {
			if mutate(v.Field(i), n) {
				return true
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			if mutate(v.Index(i), n) {
				return true
			}
		}
		if *n--; *n == 0 {
			v.Set(reflect.Append(v, reflect.Zero(v.Type().Elem())))
		}
	case reflect.Map:
		if *n--; *n == 0 {
			v.SetMapIndex(reflect.ValueOf("added"), reflect.Zero(v.Type().Elem()))
		}
	case reflect.String:
		if *n--; *n == 0 {
			v.SetString(v.String() + "x")
		}
	case reflect.Int, reflect.Int64:
		if *n--; *n == 0 {
			v.SetInt(v.Int() + 1)
		}
	}
	return *n <= 0
}

func TestAnySingleChangeOfAnEnvelopeChangesItsDigest(t *testing.T) {
	t.Parallel()
	want, _ := Digest(testEnvelope())
	total := 1 << 20
	count := testEnvelope()
	left := total
	mutate(reflect.ValueOf(&count).Elem(), &left)
	leaves := total - left
	if leaves < 50 {
		t.Fatalf("only %d places to change", leaves)
	}
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, leaves).Draw(t, "leaf")
		e := testEnvelope()
		if !mutate(reflect.ValueOf(&e).Elem(), &n) {
			t.Fatal("nothing was changed")
		}
		if got, err := Digest(e); err != nil || got == want {
			t.Fatalf("unchanged digest %s (%v) of %+v", got, err, e)
		}
	})
}
