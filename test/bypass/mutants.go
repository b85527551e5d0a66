package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"text/tabwriter"
)

// without is the variable that says which check the mutant leaves out.
const without = "BYPASS_WITHOUT"

// cut is one change of a source text: find stands in it once and is put in another way.
type cut struct{ file, find, put string }

// checks are the ten, in the order in which the table lists them.
func checks() []string {
	return []string{"signature", "digest", "expiry", "membership", "exclusion", "call row", "target state", "reset", "auto_limit", "effect"}
}

// cuts leave a check out wherever it is made: where the gateway, the workflow and the action run the same function, that
// is one place.
func cuts() []cut {
	return []cut{
		{"internal/signoff/decision.go", "\ttext, ok := keys[d.KeyID]\n", "\tif bypassWithout(\"signature\") {\n\t\treturn nil\n\t}\n\ttext, ok := keys[d.KeyID]\n"},
		{"internal/signoff/decision.go", "\tif own != digest || d.Digest != digest {\n", "\tif (own != digest || d.Digest != digest) && !bypassWithout(\"digest\") {\n"},
		{"internal/signoff/decision.go", "\tif !now.Before(e.Expires) {\n", "\tif !now.Before(e.Expires) && !bypassWithout(\"expiry\") {\n"},
		{"internal/signoff/decision.go", "\tcase !d.At.Before(e.Expires):\n", "\tcase !d.At.Before(e.Expires) && !bypassWithout(\"expiry\"):\n"},
		{"internal/signoff/grant.go", "\tcase !g.QuorumAt.Before(e.Expires):\n", "\tcase !g.QuorumAt.Before(e.Expires) && !bypassWithout(\"expiry\"):\n"},
		{"workflows/signed.go", "\texpires := req.view.Envelope.Expires\n", "\texpires := req.view.Envelope.Expires\n\tif bypassWithout(\"expiry\") {\n\t\texpires = expires.Add(1000 * time.Hour)\n\t}\n"},
		{"internal/signoff/seats.go", "\t\treturn slices.Contains(d.Groups, s.Group) || s.standsIn(d)\n", "\t\treturn slices.Contains(d.Groups, s.Group) || s.standsIn(d) || bypassWithout(\"membership\")\n"},
		{"internal/signoff/seats.go", "slices.Contains(excluded, d.Person) || (s.Group", "slices.Contains(excluded, d.Person) && !bypassWithout(\"exclusion\") || (s.Group"},
		{"internal/signoff/decision.go", "\tif d.Person != \"\" && slices.Contains(rule.Excluded, d.Person) {\n", "\tif d.Person != \"\" && slices.Contains(rule.Excluded, d.Person) && !bypassWithout(\"exclusion\") {\n"},
		{"activities/grant.go", "\trow, sent := find(rows, callID(*in.Grant, in.Step))\n", "\trow, sent := find(rows, callID(*in.Grant, in.Step))\n\tsent = sent && !bypassWithout(\"call row\")\n"},
		{"activities/grant.go", "\tif !fresh {\n", "\tif !fresh && !bypassWithout(\"call row\") {\n"},
		{"internal/signoff/grant.go", "\tif fields := differ(p.State, c.State); len(fields) > 0 {\n", "\tif fields := differ(p.State, c.State); len(fields) > 0 && !bypassWithout(\"target state\") {\n"},
		{"workflows/respond.go", "\tif info.OriginalRunID == info.WorkflowExecution.RunID {\n", "\tif info.OriginalRunID == info.WorkflowExecution.RunID || bypassWithout(\"reset\") {\n"},
		{"activities/execution.go", "\tif err != nil || found {\n\t\treturn known == at, err\n", "\tif err != nil || found {\n\t\treturn known == at || bypassWithout(\"reset\"), err\n"},
		{"activities/execute.go", "\tif err != nil || ok {\n\t\treturn \"\", err\n", "\tif err != nil || ok || bypassWithout(\"auto_limit\") {\n\t\treturn \"\", err\n"},
		{"activities/execute.go", "\tif a.Card.Effect == signoff.EffectFinal {\n\t\treturn wire.Result{}, h.refuseCall", "\tif a.Card.Effect == signoff.EffectFinal && !bypassWithout(\"effect\") {\n\t\treturn wire.Result{}, h.refuseCall"},
	}
}

// helper is the function that the cuts call.
const helper = "package %s\n\nimport \"os\"\n\nfunc bypassWithout(check string) bool { return os.Getenv(%q) == check }\n"

// buildMutant compiles the product with all cuts in it; without the variable it behaves.
func buildMutant(ctx context.Context, dir string) (string, error) {
	root, err := top(ctx)
	if err != nil {
		return "", err
	}
	texts := map[string]string{}
	for _, room := range []string{"internal/signoff", "workflows", "activities"} {
		texts[room+"/bypass_without.go"] = fmt.Sprintf(helper, filepath.Base(room), without)
	}
	for _, c := range cuts() {
		text, ok := texts[c.file]
		if !ok {
			raw, err := os.ReadFile(filepath.Join(root, c.file))
			if err != nil {
				return "", err
			}
			text = string(raw)
		}
		if n := strings.Count(text, c.find); n != 1 {
			return "", fmt.Errorf("%s has %d places %q where one is needed: mutants.go must follow the code", c.file, n, strings.TrimSpace(c.find))
		}
		texts[c.file] = strings.Replace(text, c.find, c.put, 1)
	}
	replace := map[string]string{}
	for name, text := range texts {
		at := filepath.Join(dir, strings.ReplaceAll(name, "/", "_"))
		if err := os.WriteFile(at, []byte(text), 0o600); err != nil {
			return "", err
		}
		replace[filepath.Join(root, name)] = at
	}
	raw, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	overlay := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(overlay, raw, 0o600); err != nil {
		return "", err
	}
	return build(ctx, dir, "mutant", "-overlay", overlay)
}

// verdict is one line of the table of mutants.
type verdict struct {
	check, why string
	finals     int
	red        bool
}

// tryMutants runs, for each check, the attempts that it stands against, in a house without it. First the mutant must pass them all as
// long as it leaves nothing out: what turns red later is then red for want of the check.
func tryMutants(ctx context.Context, program string, out io.Writer) error {
	tested := slices.DeleteFunc(attempts(), func(a attempt) bool { return a.check == "" })
	whole, err := besiege(ctx, program, tested, io.Discard)
	if err != nil {
		return err
	}
	if err := whole.faults(); err != nil {
		return fmt.Errorf("with all its checks the mutant does not behave: %w", err)
	}
	all, verdicts, faults := checks(), make([]verdict, len(checks())), make([]error, len(checks()))
	var busy sync.WaitGroup
	turns := make(chan struct{}, 3) // houses at once
	for i, check := range all {
		busy.Go(func() {
			turns <- struct{}{}
			defer func() { <-turns }()
			verdicts[i], faults[i] = tryMutant(ctx, program, check, tested)
		})
	}
	busy.Wait()
	if err := errors.Join(faults...); err != nil {
		return err
	}
	return judge(verdicts, out)
}

// judge prints the table; the error names what stayed green.
func judge(verdicts []verdict, out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, "WITHOUT\tTHE RUN IS\tCALLS WITHOUT PEOPLE\tBECAUSE") // Flush says what went wrong
	var missed []error
	for _, v := range verdicts {
		colour := "red"
		if !v.red {
			colour = "GREEN"
			missed = append(missed, fmt.Errorf("without the check of the %s nothing turned red", v.check))
		}
		_, _ = fmt.Fprintf(w, "%s\t%s\t%d\t%s\n", v.check, colour, v.finals, v.why)
	}
	return errors.Join(append(missed, w.Flush())...)
}

func tryMutant(ctx context.Context, program, check string, tested []attempt) (verdict, error) {
	list := slices.DeleteFunc(slices.Clone(tested), func(a attempt) bool { return a.check != check })
	if len(list) == 0 {
		return verdict{}, fmt.Errorf("no attempt is made against the check of the %s", check)
	}
	b, err := besiege(ctx, program, list, io.Discard, without+"="+check)
	if err != nil {
		return verdict{}, err
	}
	v := verdict{check: check, finals: b.finals(), red: len(b.bad) > 0}
	if v.red {
		v.why = brief(b.bad[0].Error())
	}
	return v, nil
}
