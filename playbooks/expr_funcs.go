package playbooks

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/expr-lang/expr/conf"

	exprlang "github.com/expr-lang/expr"
)

// Limits of values while an expression runs.
const (
	maxText  = 64 << 10 // bytes of one text
	maxItems = 1000     // items that a predicate, sort or split walks
	maxInner = 100      // items that "in" searches inside a predicate
)

// functions are ours in place of builtins whose result could differ between runs or grow without a limit.
func functions() []exprlang.Option {
	opts := []exprlang.Option{
		exprlang.Function("duration", fnDuration, new(func(string) time.Duration)),
		exprlang.Function("string", fnString, new(func(any) string)),
		exprlang.Function("split", fnSplit, new(func(string, string) []string)),
		exprlang.Function("join", fnJoin, new(func([]any, string) string), new(func([]string, string) string),
			new(func([]any) string), new(func([]string) string)),
		exprlang.Function("date", fnDate, new(func(string) time.Time)),
	}
	return opts
}

// internals are what the run-time patches call; no author can name them.
func internals(c *conf.Config) {
	exprlang.Function("__add", fnAdd)(c)
	exprlang.Function("__limited", fnLimited)(c)
	exprlang.Function("__few", fnFew)(c)
	exprlang.Function("__scalar", fnScalar)(c)
	exprlang.Function("__item", fnItem)(c)
}

func fnDuration(args ...any) (any, error) {
	s, ok := args[0].(string)
	if !ok {
		return nil, errors.New("duration takes a text, as \"3d\"")
	}
	return ParseDuration(s)
}

func fnDate(args ...any) (any, error) {
	s, _ := args[0].(string)
	for _, layout := range []string{time.RFC3339Nano, time.DateOnly} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC(), nil
		}
	}
	return nil, fmt.Errorf("%q is not a date: write 2006-01-02 or 2006-01-02T15:04:05Z", crop(s))
}

func fnString(args ...any) (any, error) { return text(args[0]) }

func fnSplit(args ...any) (any, error) {
	s, ok1 := args[0].(string)
	sep, ok2 := args[1].(string)
	if !ok1 || !ok2 {
		return nil, errors.New("split takes two texts")
	}
	parts := strings.SplitN(s, sep, maxItems+1)
	if len(parts) > maxItems {
		return nil, fmt.Errorf("split makes more than %d parts", maxItems)
	}
	return parts, nil
}

func fnJoin(args ...any) (any, error) {
	sep := ""
	if len(args) > 1 {
		sep, _ = args[1].(string)
	}
	var b strings.Builder
	add := func(i int, v any) error {
		s, err := text(v)
		if err != nil {
			return err
		}
		if i > 0 {
			b.WriteString(sep)
		}
		if b.Len()+len(s) > maxText {
			return fmt.Errorf("the joined text is longer than %d bytes", maxText)
		}
		b.WriteString(s)
		return nil
	}
	for i, v := range list(args[0]) {
		if err := add(i, v); err != nil {
			return nil, err
		}
	}
	return b.String(), nil
}

// fnAdd is "+": what expr does, with a length check for texts.
func fnAdd(args ...any) (any, error) {
	switch l := args[0].(type) {
	case string:
		if r, ok := args[1].(string); ok {
			if len(l)+len(r) > maxText {
				return nil, fmt.Errorf("the joined text is longer than %d bytes", maxText)
			}
			return l + r, nil
		}
	case time.Time:
		if r, ok := args[1].(time.Duration); ok {
			return l.Add(r), nil
		}
	case time.Duration:
		switch r := args[1].(type) {
		case time.Time:
			return r.Add(l), nil
		case time.Duration:
			return l + r, nil
		}
	}
	return addNumbers(args[0], args[1])
}

func addNumbers(l, r any) (any, error) {
	a, ok1 := l.(int)
	b, ok2 := r.(int)
	if ok1 && ok2 {
		return a + b, nil
	}
	x, ok1 := number(l)
	y, ok2 := number(r)
	if !ok1 || !ok2 {
		return nil, fmt.Errorf("%s and %s cannot be added", kindOf(l), kindOf(r))
	}
	return x + y, nil
}

func number(v any) (float64, bool) {
	switch v := v.(type) {
	case int:
		return float64(v), true
	case int64:
		return float64(v), true
	case float64:
		return v, true
	}
	return 0, false
}

func fnLimited(args ...any) (any, error) { return limited(args[0], maxItems) }
func fnFew(args ...any) (any, error)     { return limited(args[0], maxInner) }

func limited(v any, most int) (any, error) {
	if n := size(v); n > most {
		return nil, fmt.Errorf("the list has %d items; an expression walks at most %d", n, most)
	}
	return v, nil
}

func fnScalar(args ...any) (any, error) {
	switch args[0].(type) {
	case nil, string, bool, int, int64, float64, time.Time, time.Duration:
		return args[0], nil
	}
	return nil, fmt.Errorf("a list or map written in an expression holds texts, numbers, booleans and times, not %s", kindOf(args[0]))
}

func fnItem(args ...any) (any, error) {
	if _, ok := args[0].(map[string]any); ok {
		return args[0], nil
	}
	return fnScalar(args...)
}

func kindOf(v any) string {
	switch v.(type) {
	case nil:
		return "nothing (nil)"
	case string:
		return "a text"
	case bool:
		return "a boolean"
	case int, int64, float64:
		return "a number"
	case time.Time:
		return "a time"
	case time.Duration:
		return "a duration"
	case []any, []string, []int:
		return "a list"
	case map[string]any:
		return "a map"
	}
	return fmt.Sprintf("a %T", v)
}

// text writes one scalar for people: whole numbers without a fraction, times in UTC, nil as nothing.
func text(v any) (string, error) {
	switch v := v.(type) {
	case nil:
		return "", nil
	case string:
		return v, nil
	case bool:
		return strconv.FormatBool(v), nil
	case int:
		return strconv.Itoa(v), nil
	case int64:
		return strconv.FormatInt(v, 10), nil
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64), nil
	case time.Time:
		return v.UTC().Format(time.RFC3339), nil
	case time.Duration:
		return v.String(), nil
	}
	return "", fmt.Errorf("%s cannot be written as text: name the field that is meant", kindOf(v))
}
