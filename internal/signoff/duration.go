package signoff

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Duration is a length of time as people write it in the configuration: "4h", "10m", "3d", "1d12h".
// It implements encoding.TextMarshaler and TextUnmarshaler, which serve YAML and JSON alike.
type Duration time.Duration

// Std is the duration as the standard library knows it.
func (d Duration) Std() time.Duration { return time.Duration(d) }

// units from the largest to the smallest; each may appear once, in this order.
func units() []struct {
	name string
	size int64
} {
	return []struct {
		name string
		size int64
	}{{"d", 86400}, {"h", 3600}, {"m", 60}, {"s", 1}}
}

// ParseDuration reads whole days, hours, minutes and seconds, each at most once and in this order.
func ParseDuration(s string) (Duration, error) {
	rest, total := s, int64(0)
	for _, u := range units() {
		n := strings.IndexFunc(rest, func(r rune) bool { return r < '0' || r > '9' })
		if n < 1 || !strings.HasPrefix(rest[n:], u.name) {
			continue
		}
		v, err := strconv.ParseInt(rest[:n], 10, 64)
		if err != nil || v > (math.MaxInt64/int64(time.Second)-total)/u.size {
			return 0, fmt.Errorf("the duration %q is too long", s)
		}
		total, rest = total+v*u.size, rest[n+len(u.name):]
	}
	if s == "" || rest != "" {
		return 0, fmt.Errorf("%q is not a duration; write whole days, hours, minutes and seconds, as 3d, 4h, 10m, 1d12h or 90s", s)
	}
	return Duration(total) * Duration(time.Second), nil
}

func (d Duration) String() string {
	left := int64(time.Duration(d) / time.Second)
	var b strings.Builder
	for _, u := range units() {
		if n := left / u.size; n > 0 {
			fmt.Fprintf(&b, "%d%s", n, u.name)
			left -= n * u.size
		}
	}
	if b.Len() == 0 {
		return "0s"
	}
	return b.String()
}

// MarshalText writes what ParseDuration reads.
func (d Duration) MarshalText() ([]byte, error) {
	if d < 0 || time.Duration(d)%time.Second != 0 {
		return nil, fmt.Errorf("the duration %s is not a whole number of seconds from zero up", time.Duration(d))
	}
	return []byte(d.String()), nil
}

// UnmarshalText reads what ParseDuration reads.
func (d *Duration) UnmarshalText(b []byte) error {
	v, err := ParseDuration(string(b))
	if err != nil {
		return err
	}
	*d = v
	return nil
}
