package playbooks

import (
	"fmt"
	"regexp"
	"strconv"
	"time"
)

// longestDuration bounds every duration of the language.
const longestDuration = 365 * 24 * time.Hour

// ParseDuration reads "90s", "1h30m" and also days, "3d" or "1d12h".
func ParseDuration(s string) (time.Duration, error) {
	m := regexp.MustCompile(`^(-?)(?:(\d{1,4})d)?(.*)$`).FindStringSubmatch(s)
	if m == nil || s == "" || len(s) > 40 || (m[2] == "" && m[3] == "") {
		return 0, fmt.Errorf("%q is not a duration: write a number and a unit, as 30s, 10m, 4h or 3d", crop(s))
	}
	var total time.Duration
	if m[2] != "" {
		days, err := strconv.Atoi(m[2])
		if err != nil {
			return 0, err
		}
		total = time.Duration(days) * 24 * time.Hour
	}
	if m[3] != "" {
		rest, err := time.ParseDuration(m[3])
		if err != nil || rest < 0 {
			return 0, fmt.Errorf("%q is not a duration: write a number and a unit, as 30s, 10m, 4h or 3d", crop(s))
		}
		total += rest
	}
	if total > longestDuration {
		return 0, fmt.Errorf("%q is longer than 365 days", crop(s))
	}
	if m[1] == "-" {
		total = -total
	}
	return total, nil
}

// crop keeps what is quoted in an error short.
func crop(s string) string {
	if r := []rune(s); len(r) > 60 {
		return string(r[:60]) + "…"
	}
	return s
}
