package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/tourniquet-ir/tourniquet/test/rig"
)

// aims are the transitions at which a lack of durability shows: right after the product has said or written what is not
// true yet.
func aims() map[string][]string {
	return map[string][]string{
		hasty:    {"", "before db storing a finding of source *"},
		boastful: {"after db outcome of call *"},
	}
}

// tryMutants runs a short siege on each build that is deliberately not durable. What stays green was not noticed.
func (c choices) tryMutants(ctx context.Context, dir string, out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, "A BUILD WITH\tIS\tBECAUSE") // Flush says what went wrong
	var missed []error
	for _, name := range slices.Sorted(maps.Keys(mutants())) {
		if c.mutant != "" && name != c.mutant {
			continue
		}
		v, err := c.tryMutant(ctx, filepath.Join(dir, fmt.Sprintf("mutant-%d", len(name))), name)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		colour := "red"
		if v.violations == 0 {
			colour = "GREEN"
			missed = append(missed, fmt.Errorf("nothing noticed the build with %s", name))
		}
		_, _ = fmt.Fprintf(w, "%s\t%s\t%s\n", name, colour, v.first())
	}
	return errors.Join(append(missed, w.Flush())...)
}

func (c choices) tryMutant(ctx context.Context, dir, name string) (v verdict, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return v, err
	}
	binary, err := buildHooked(ctx, dir, name)
	if err != nil {
		return v, err
	}
	g, err := openSiege(ctx, name, plan{binary: binary, dir: dir, socket: true}, 30, c.seed)
	if err != nil {
		return v, err
	}
	defer g.close()
	g.atOnce, g.patience, g.more = 6, mutantPatience, []string{hastyVar + "=yes"}
	at, stop := context.WithCancel(ctx)
	defer stop()
	if err := g.begin(at); err != nil {
		return v, err
	}
	if err := rig.Pause(ctx, 2*time.Second); err != nil {
		return v, err
	}
	g.Kill()
	for range 3 {
		for _, mark := range aims()[name] {
			if err := g.once(ctx, g.member, mark, 2); err != nil {
				return v, err
			}
		}
	}
	close(g.enough)
	g.more = nil // so that what is sent once more is answered honestly
	if err := g.live(ctx, "", 0); err != nil {
		return v, err
	}
	if err := g.settle(ctx, stop); err != nil {
		return v, err
	}
	return v, c.decide(ctx, dir, g, &v)
}
