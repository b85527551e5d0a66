package database

import (
	"testing"

	"pgregory.net/rapid"
)

func TestPlacesOfArgumentsAreWrittenAsPostgreSQLWantsThem(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		`a = ? AND b = ?`:          `a = $1 AND b = $2`,
		`(?1 = '' OR a = ?1) > ?2`: `($1 = '' OR a = $1) > $2`,
		`a = '?' AND b = ?`:        `a = '?' AND b = $1`,
		`?2 ?`:                     `$2 $3`,
		`?12`:                      `$12`,
		`SELECT 1`:                 `SELECT 1`,
	} {
		if got := postgres.query(in); got != want {
			t.Errorf("%s becomes %s, want %s", in, got, want)
		}
		if got := sqlite.query(in); got != in {
			t.Errorf("SQLite gets %s", got)
		}
	}
}

func TestAnyBytesAreTextAndDifferentOnesStayDifferent(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, b := string(rapid.SliceOf(rapid.Byte()).Draw(t, "a")), string(rapid.SliceOf(rapid.Byte()).Draw(t, "b"))
		x, y := plainText(a), plainText(b)
		if (a == b) != (x == y) {
			t.Fatalf("%q and %q become %q and %q", a, b, x, y)
		}
		for _, s := range []string{x, y} {
			for _, r := range s {
				if r == 0 {
					t.Fatalf("%q holds NUL", s)
				}
			}
		}
	})
}
