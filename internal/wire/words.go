package wire

import (
	"fmt"

	"github.com/tourniquet-ir/tourniquet/internal/signoff"
)

// OtherwiseWords say what happens when nobody decides.
func (f Freeze) OtherwiseWords() string {
	if f.Otherwise == "skip" {
		return "this step is left out and the run goes on"
	}
	return "nothing of this is done and the run stops"
}

// NextWords say who is woken next, and when.
func (f Freeze) NextWords(rule signoff.Rule) []string {
	var words []string
	for _, e := range f.Escalate {
		when := f.At.Add(e.After.Std()).UTC().Format("15:04 UTC")
		if e.AfterUSD > 0 {
			when = fmt.Sprintf("when %d USD are spent", e.AfterUSD)
		}
		then := ""
		if e.Adds {
			then = "; policy does not let them decide"
			if _, adds := rule.Adds(e.To); adds {
				then = " and may decide, too"
			}
		}
		words = append(words, fmt.Sprintf("%s: %s is woken%s", when, e.To, then))
	}
	return words
}
