package playbooks

import "github.com/tourniquet-ir/tourniquet/internal/signoff"

// Unsigned are the places of a program where something final would be called without people: on the step itself and
// on no group around it is there a sign-off that somebody must fill. Compile gives no program that has one. It looks at
// what will run, sub-playbooks and all sections included, and not at the file.
func Unsigned(p *Program) []Place {
	var out []Place
	for place := range Steps(p) {
		a := place.Step.Action
		if a == nil || !effectIsFinal(a.Effect) {
			continue
		}
		signed := demands(place.Step)
		for _, up := range place.Parents {
			signed = signed || demands(up)
		}
		if !signed {
			out = append(out, place)
		}
	}
	return out
}

// effectIsFinal: an effect that is not known counts as final.
func effectIsFinal(effect string) bool {
	return effect != signoff.EffectObserve && effect != signoff.EffectNotify && effect != signoff.EffectUndoable
}

// demands reports whether a step or group has a sign-off that nobody fills by doing nothing.
func demands(st *Step) bool {
	if st.Signoff == nil || len(st.Signoff.Seats) == 0 {
		return false
	}
	for _, seat := range st.Signoff.Seats {
		if seat.Count < 1 {
			return false
		}
	}
	return true
}
