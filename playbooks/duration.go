package playbooks

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// longestDuration bounds every duration of the language.
const longestDuration = 365 * 24 * time.Hour

// ParseDuration reads "90s", "1h30m" and also days, "3d" or "1d12h".
func ParseDuration(s string) (time.Duration, error) {
	bad := fmt.Errorf("%q is not a duration: write a number and a unit, as 30s, 10m, 4h or 3d", crop(s))
	rest, negative := strings.CutPrefix(s, "-")
	if rest == "" || len(s) > 40 || rest[0] == '+' || rest[0] == '-' {
		return 0, bad
	}
	var total time.Duration
	if days, after, ok := strings.Cut(rest, "d"); ok {
		n, err := strconv.ParseUint(days, 10, 16)
		if err != nil || n > 9999 {
			return 0, bad
		}
		total, rest = time.Duration(n)*24*time.Hour, after
	}
	if rest != "" {
		d, err := time.ParseDuration(rest)
		if err != nil || d < 0 || rest[0] == '+' {
			return 0, bad
		}
		total += d
	}
	if total > longestDuration {
		return 0, fmt.Errorf("%q is longer than 365 days", crop(s))
	}
	if negative {
		total = -total
	}
	return total, nil
}

// crop keeps what is quoted in an error short.
func crop(s string) string { return cropTo(s, 60) }

func cropTo(s string, most int) string {
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}
