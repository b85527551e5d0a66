package playbooks

import (
	"fmt"
	"sync"
	"time"
)

// cached is how many compiled expressions are kept.
const cached = 1024

// programs keeps compiled expressions by their source.
type programs struct {
	mu sync.Mutex
	by map[string]*compiledExpr
}

// expressions is shared by all runs: compiling is 50 times the cost of running, the result depends on the source
// alone, and the map is bounded. It is the one piece of package state.
var expressions = &programs{by: map[string]*compiledExpr{}}

func (p *programs) get(code string) (*compiledExpr, error) {
	p.mu.Lock()
	prog, ok := p.by[code]
	p.mu.Unlock()
	if ok {
		return prog, nil
	}
	prog, err := compileRun(code)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.by) >= cached {
		clear(p.by)
	}
	p.by[code] = prog
	return prog, nil
}

// list is a value as items, nil if it is none.
func list(v any) []any {
	switch v := v.(type) {
	case []any:
		return v
	case []string:
		out := make([]any, len(v))
		for i, s := range v {
			out[i] = s
		}
		return out
	case []int:
		out := make([]any, len(v))
		for i, n := range v {
			out[i] = n
		}
		return out
	}
	return nil
}

func size(v any) int {
	switch v := v.(type) {
	case []any:
		return len(v)
	case []string:
		return len(v)
	case []int:
		return len(v)
	case map[string]any:
		return len(v)
	case string:
		return len(v) / 64
	}
	return 0
}

// plain brings the library's own list types back to []any.
func plain(v any) any {
	if l := list(v); l != nil {
		return l
	}
	return v
}

// measure refuses results that are too large, too deep or of a kind that the language does not know.
func measure(v any, left *int, depth int) error {
	*left--
	if *left < 0 || depth > 32 {
		return fmt.Errorf("the result is larger than an expression may make")
	}
	switch v := v.(type) {
	case nil, bool, int, int64, float64, time.Time, time.Duration:
		return nil
	case string:
		*left -= len(v) / 64
		return nil
	case map[string]any:
		for _, x := range v {
			if err := measure(x, left, depth+1); err != nil {
				return err
			}
		}
		return nil
	case []any, []string, []int:
		for _, x := range list(v) {
			if err := measure(x, left, depth+1); err != nil {
				return err
			}
		}
		return nil
	case map[string]string:
		*left -= len(v)
		return nil
	}
	return fmt.Errorf("the result is %s, which is not a value of the language", kindOf(v))
}
