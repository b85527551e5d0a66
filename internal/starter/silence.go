package starter

import (
	"context"

	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/silence"
)

// silenced asks the silences that were in force when the alert came: the note on an alert that one of them hides, or why one
// that fits spared it. What a person asked for is never hidden.
func (s *Starter) silenced(ctx context.Context, a incident.Alert) (note, spared string, err error) {
	if a.Source == byHand && a.FindingDigest == "" {
		return "", "", nil
	}
	list, err := s.DB.SilencesAt(ctx, a.ReceivedAt)
	if err != nil || len(list) == 0 {
		return "", "", err
	}
	rules, env := s.SilenceRules(), map[string]any{"alert": a.Fields()}
	for _, one := range list {
		hides, why := rules.Hides(one, a, env)
		if hides {
			return silence.Note(one), "", s.DB.NoteSilenced(ctx, one.ID, a.ID)
		}
		if why != "" {
			spared = why
		}
	}
	return "", spared, nil
}

// SilenceRules say what silences may hide here.
func (s *Starter) SilenceRules() silence.Rules {
	return silence.Rules{Critical: s.Critical, CriticalKeys: s.Policy.Silences.CriticalKeys}
}
